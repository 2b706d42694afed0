"""Sent once or not at all: what is missing, called off or settled meanwhile goes back to whoever decides."""

from collections.abc import Awaitable, Callable
from itertools import product
from uuid import UUID

import pytest

from returns_portal.actor import SYSTEM, Actor
from returns_portal.claims.models import Kind
from returns_portal.claims.replacements import life
from returns_portal.claims.replacements.models import REPLACEMENT_TRANSITIONS, EndReason, ReplacementStatus
from returns_portal.claims.replacements.queries import ReplacementView, list_replacements, replacement_for, to_send
from returns_portal.db import run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.returns.life import cancel_return
from tests.broken import found_after
from tests.claims.anew import PACKER, SHOE_SKU, called_off, seen, sent, set_aside, shelved, waiting
from tests.claims.things import SHOE, SOCKS, decided, delivered, standing
from tests.exchanges.samples import stock_of
from tests.portal import API, Portal, at_once
from tests.refunds.samples import paid_by_gateway

pytestmark = pytest.mark.anyio

S = ReplacementStatus
OUTSIDER = Actor(kind="staff", id="fin", grants=frozenset({"finance"}))


async def test_a_missing_piece_ends_it_and_somebody_decides_anew(portal: Portal) -> None:
    await shelved(portal)
    await shelved(portal, sku="SO-39")
    shoes, socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1, socks: 1}, Kind.MISSING)
    for _click in range(2):
        ended = await called_off(portal, anew.number, missing=socks)
    assert (ended.status, ended.end_reason) == (S.ENDED, EndReason.MISSING)
    # The shoes are back on the shelf; the socks are not where they should be.
    assert (await stock_of(portal, SHOE_SKU), await stock_of(portal, "SO-39")) == (2, 1)
    assert await standing(portal, claim_id) == "filed"
    assert await portal.mails() == ["claim_received", "claim_decided", "replacement_ended"]
    with pytest.raises(ConflictError) as caught:
        await sent(portal, anew.number)
    assert caught.value.code == "wrong_status"
    # It still counts as never having come: nobody can send it back meanwhile.
    with pytest.raises(ConflictError):
        await portal.file("1001", (socks, 1))
    await decided(portal, claim_id, "refund")
    await portal.work()
    assert await standing(portal, claim_id) == "refunded"
    assert (await paid_by_gateway(portal, "1001"))[1] == SHOE + SOCKS


async def test_after_a_missing_piece_another_can_be_sent(portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id, first = await set_aside(portal, {shoes: 1})
    await called_off(portal, first.number, missing=shoes)
    await decided(portal, claim_id, "replacement")
    [second] = await waiting(portal)
    assert second.number != first.number
    await sent(portal, second.number)
    assert await standing(portal, claim_id) == "replaced"
    assert (await seen(portal, first.number)).status is S.ENDED
    assert await stock_of(portal, SHOE_SKU) == 0


async def test_sent_from_two_stations_it_is_sent_once_and_called_off_meanwhile_one_holds(portal: Portal) -> None:
    await shelved(portal, stock=2)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1})
    await at_once(*(sent(portal, anew.number) for _station in range(3)))
    assert (await portal.mails()).count("replacement_sent") == 1
    other, second = await set_aside(portal, {shoes: 1})
    answers = await at_once(sent(portal, second.number), called_off(portal, second.number))
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 1
    left = (await seen(portal, second.number)).status
    assert await stock_of(portal, SHOE_SKU) == (0 if left is S.SENT else 1)
    assert await standing(portal, other) == ("replaced" if left is S.SENT else "filed")
    assert await standing(portal, claim_id) == "replaced"


async def test_what_is_sent_back_meanwhile_is_not_sent_anew(portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 2})
    filed = await portal.file("1001", (shoes, 1))
    ended = await sent(portal, anew.number)
    assert (ended.status, ended.end_reason) == (S.ENDED, EndReason.SETTLED)
    assert await stock_of(portal, SHOE_SKU) == 2
    assert await standing(portal, claim_id) == "filed"
    assert (await portal.mails())[-1] == "replacement_ended"
    with pytest.raises(ConflictError) as caught:
        await decided(portal, claim_id, "replacement")
    assert caught.value.code == "in_a_return"
    async with portal.begin() as db:
        await cancel_return(db, API, filed.rma)
    await decided(portal, claim_id, "replacement")
    assert await standing(portal, claim_id) == "replacing"


_DISPUTED = """
    INSERT INTO dispute (id, payment_id, gateway_id, charge, status, reason, currency, amount, withdrawn, opened_at,
        recorded_at, version, postings)
    SELECT gen_random_uuid(), id, 'dp_1', 'ch_1', 'needs_response', 'fraudulent', currency, amount, 0, now(), now(),
        1, 0 FROM payment
"""


async def test_an_order_whose_payment_is_disputed_waits(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    _claim_id, anew = await set_aside(portal, {shoes: 1})
    async with portal.begin() as db:
        await run(db, _DISPUTED)
        with pytest.raises(ConflictError) as caught:
            await life.send(db, PACKER, anew.number)
        await run(db, "DELETE FROM dispute")
    assert caught.value.code == "disputed"
    assert (await seen(portal, anew.number)).status is S.TO_SEND


async def test_who_may_do_what(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    _claim_id, anew = await set_aside(portal, {shoes: 1})
    async with portal.begin() as db:
        for forbidden in (life.send(db, OUTSIDER, anew.number), life.call_off(db, OUTSIDER, anew.number)):
            with pytest.raises(ForbiddenError):
                await forbidden
        with pytest.raises(ForbiddenError):
            await to_send(db, OUTSIDER)
        assert [each.number for each in await list_replacements(db, OUTSIDER)] == [anew.number]
        with pytest.raises(NotFoundError):
            await replacement_for(db, Actor(kind="customer", id="x", order_id=UUID(int=1)), anew.number)
        with pytest.raises(NotFoundError):
            await replacement_for(db, SYSTEM, "N-0000-0000")
        with pytest.raises(InvalidError):
            await life.call_off(db, PACKER, anew.number, missing=UUID(int=1))


STEPS: dict[ReplacementStatus, Callable[[Portal, str], Awaitable[ReplacementView]]] = {
    S.SENT: sent,
    S.ENDED: called_off,
}


@pytest.mark.parametrize(("before", "after"), list(product(STEPS, STEPS)))
async def test_once_it_has_come_to_an_end_nothing_leads_anywhere_else(
    portal: Portal, before: ReplacementStatus, after: ReplacementStatus
) -> None:
    assert not REPLACEMENT_TRANSITIONS[before]
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1})
    await STEPS[before](portal, anew.number)
    ended = (await portal.mails(), await stock_of(portal, SHOE_SKU), await standing(portal, claim_id))
    assert ended[1:] == ((1, "replaced") if before is S.SENT else (2, "filed"))
    if before is after:
        assert (await STEPS[after](portal, anew.number)).status is before
    else:
        with pytest.raises(ConflictError):
            await STEPS[after](portal, anew.number)
    assert (await seen(portal, anew.number)).status is before
    assert (await portal.mails(), await stock_of(portal, SHOE_SKU), await standing(portal, claim_id)) == ended


async def test_the_proof_of_the_books_finds_what_was_not_set_aside_as_decided(portal: Portal) -> None:
    shoes, _socks = await delivered(portal)
    await set_aside(portal, {shoes: 1})
    for broken in (
        "DELETE FROM replacement_line",
        "UPDATE replacement_line SET quantity = 2",
        "UPDATE item_claim SET closed_at = now()",
        "UPDATE item_claim SET status = 'withdrawn', closed_at = now()",
        "UPDATE replacement SET status = 'sent', sent_at = now(), sent_by = 'x'",
    ):
        assert "sent-anew-as-decided" in await found_after(portal, broken), broken
    assert await found_after(portal, "SELECT 1") == set()


async def test_of_a_cancelled_order_nothing_is_sent_anew(portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1})
    await portal.rows("UPDATE orders SET cancelled_at = now() RETURNING id")
    ended = await sent(portal, anew.number)
    assert (ended.status, ended.end_reason) == (S.ENDED, EndReason.SETTLED)
    with pytest.raises(ConflictError) as caught:
        await decided(portal, claim_id, "replacement")
    assert caught.value.code == "order_cancelled"
    assert await stock_of(portal, SHOE_SKU) == 2
