"""What is decided to be sent anew is set aside at once, packed beside exchanges, and sent once; or nothing is lost."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import put_product, take_stock
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.claims.models import Kind
from returns_portal.claims.replacements import life
from returns_portal.claims.replacements.models import REPLACEMENT_TRANSITIONS, EndReason, ReplacementStatus
from returns_portal.claims.replacements.queries import ReplacementView, list_replacements, replacement_for, to_send
from returns_portal.db import run
from returns_portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput
from returns_portal.returns.actions import cancel_return
from returns_portal.warehouse.models import Condition
from tests.broken import found_after
from tests.claims.things import SHOE, SOCKS, SUPPORT, claim, decided, delivered, standing
from tests.exchanges.samples import stock_of
from tests.orders.samples import a_line
from tests.portal import API, Portal, at_once
from tests.refunds.samples import paid_by_gateway

pytestmark = pytest.mark.anyio

S = ReplacementStatus
PACKER = Actor(kind="staff", id="iva", grants=frozenset({"warehouse"}))
OUTSIDER = Actor(kind="staff", id="fin", grants=frozenset({"finance"}))
SHOE_SKU = a_line().sku


async def shelved(portal: Portal, stock: int = 2, *, listed: bool = True, sku: str = SHOE_SKU) -> None:
    """The catalogue knows the shoes, and how many are in stock."""
    variant = VariantInput(sku=sku, size="42", color="Black", price=SHOE, currency="EUR", stock=stock)
    product = ProductInput(
        handle=sku.lower(), title="Shoes", kind=ProductKind.OTHER, variants=[variant], tax_rate=2000, listed=listed
    )
    async with portal.begin() as db:
        await put_product(db, API, product)


async def waiting(portal: Portal) -> list[ReplacementView]:
    """What the packing table shows."""
    async with portal.begin() as db:
        return await to_send(db, PACKER)


async def seen(portal: Portal, number: str) -> ReplacementView:
    async with portal.begin() as db:
        return await replacement_for(db, PACKER, number)


async def set_aside(portal: Portal, units: dict[UUID, int], kind: Kind = Kind.FAULTY) -> tuple[UUID, ReplacementView]:
    """A claim of which a new one is decided to be sent, and that one."""
    claim_id = await claim(portal, units, kind)
    await decided(portal, claim_id, "replacement")
    return claim_id, (await waiting(portal))[-1]


async def sent(portal: Portal, number: str, actor: Actor = PACKER) -> ReplacementView:
    async with portal.begin() as db:
        return await life.send(db, actor, number, carrier="Econt", tracking="EC1")


async def called_off(portal: Portal, number: str, missing: UUID | None = None) -> ReplacementView:
    async with portal.begin() as db:
        return await life.call_off(db, PACKER, number, missing=missing)


async def test_a_new_one_is_set_aside_packed_and_sent_and_the_customer_follows_it(portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 1})
    assert await stock_of(portal, SHOE_SKU) == 1
    assert (anew.status, anew.number[:2], anew.order_number) == (S.TO_SEND, "N-", "1001")
    assert [(piece.line_id, piece.sku, piece.quantity) for piece in anew.pieces] == [(shoes, SHOE_SKU, 1)]
    assert anew.pieces[0].variant_id is not None
    assert await standing(portal, claim_id) == "replacing"
    assert await portal.mails() == ["claim_received", "claim_decided"]
    for again in range(2):
        left = await sent(portal, anew.number.lower().replace("-", " "))
        assert (left.status, left.carrier, left.tracking) == (S.SENT, "Econt", "EC1"), again
    assert await waiting(portal) == []
    assert await standing(portal, claim_id) == "replaced"
    assert await portal.mails() == ["claim_received", "claim_decided", "replacement_sent"]
    [row] = await portal.rows("SELECT closed_at, changed_at FROM item_claim")
    assert row.closed_at == row.changed_at
    [mail] = await portal.rows("SELECT values FROM email WHERE template = 'replacement_sent'")
    assert (mail.values["carrier"], mail.values["tracking"]) == ("Econt", "EC1")
    told = await portal.rows("SELECT action, actor FROM history WHERE subject = 'replacement' ORDER BY at, id")
    assert [(row.action, row.actor) for row in told] == [("reserved", SUPPORT.label), ("sent", PACKER.label)]


async def test_the_last_piece_is_set_aside_for_one_and_the_other_is_decided_otherwise(portal: Portal) -> None:
    await shelved(portal, stock=1)
    shoes, _socks = await delivered(portal)
    first, second = await claim(portal, {shoes: 1}), await claim(portal, {shoes: 1})
    answers = await at_once(decided(portal, first, "replacement"), decided(portal, second, "replacement"))
    [error] = [answer for answer in answers if isinstance(answer, BaseException)]
    assert isinstance(error, ConflictError)
    assert (error.code, error.field) == ("sold_out", "decision")
    assert "Nothing was decided." in str(error)
    assert sorted([await standing(portal, first), await standing(portal, second)]) == ["filed", "replacing"]
    assert len(await waiting(portal)) == 1
    assert (await portal.mails()).count("claim_decided") == 1
    # What is set aside cannot be sold meanwhile.
    with pytest.raises(ConflictError):
        async with portal.begin() as db:
            await take_stock(db, {SHOE_SKU: 1})


async def test_of_several_items_all_are_set_aside_or_none(portal: Portal) -> None:
    await shelved(portal)
    await shelved(portal, stock=0, sku="SO-39")
    shoes, socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 2, socks: 1})
    with pytest.raises(ConflictError):
        await decided(portal, claim_id, "replacement")
    assert (await stock_of(portal, SHOE_SKU), await waiting(portal)) == (2, [])
    assert await standing(portal, claim_id) == "filed"


async def test_decided_twice_at_once_it_is_set_aside_once(portal: Portal) -> None:
    await shelved(portal)
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1})
    answers = await at_once(*(decided(portal, claim_id, "replacement") for _click in range(3)))
    assert sum(isinstance(answer, ConflictError) for answer in answers) == 2
    assert await stock_of(portal, SHOE_SKU) == 1


@pytest.mark.parametrize("known", [False, True])
async def test_what_nobody_counted_is_written_without_stock(portal: Portal, known: bool) -> None:
    if known:
        # As it is made from orders, which tell neither whether it is sold nor how many there are.
        await shelved(portal, stock=0, listed=False)
    shoes, _socks = await delivered(portal)
    claim_id, anew = await set_aside(portal, {shoes: 2})
    assert [(piece.sku, piece.variant_id) for piece in anew.pieces] == [(SHOE_SKU, None)]
    assert anew.pieces[0].title
    await called_off(portal, anew.number)
    assert await standing(portal, claim_id) == "filed"


async def test_an_article_that_is_no_longer_offered_is_not_promised(portal: Portal) -> None:
    await shelved(portal)
    await portal.rows("UPDATE variant SET archived_at = now() RETURNING id")
    shoes, _socks = await delivered(portal)
    claim_id = await claim(portal, {shoes: 1})
    with pytest.raises(ConflictError) as caught:
        await decided(portal, claim_id, "replacement")
    assert caught.value.code == "sold_out"


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


@pytest.mark.parametrize("kind", [Kind.DAMAGED, Kind.MISSING])
async def test_a_unit_that_was_replaced_can_be_sent_back_once_and_claimed_again(portal: Portal, kind: Kind) -> None:
    _shoes, socks = await delivered(portal)
    _claim_id, anew = await set_aside(portal, {socks: 1}, kind)
    # While it is packed, the same unit cannot be claimed a second time.
    with pytest.raises(ConflictError):
        await claim(portal, {socks: 1})
    await sent(portal, anew.number)
    again = await claim(portal, {socks: 1}, Kind.FAULTY)
    await decided(portal, again, "refusal", answer="It is what you ordered.")
    filed = await portal.file("1001", (socks, 1))
    with pytest.raises(ConflictError):
        await portal.file("1001", (socks, 1))
    await portal.receive(filed.rma, (socks, 1, Condition.RESELLABLE))
    await portal.work()
    assert (await paid_by_gateway(portal, "1001"))[1] == SOCKS


async def test_the_period_for_withdrawing_runs_from_the_new_piece(portal: Portal) -> None:
    order, [line] = await portal.order(delivered_at=clock.now() - timedelta(days=200))
    await portal.work()
    with pytest.raises(ConflictError) as caught:
        await portal.file(order.number, (line, 1))
    assert caught.value.code == "window_closed"
    _claim, anew = await set_aside(portal, {line: 1})
    await sent(portal, anew.number)
    await portal.file(order.number, (line, 1))
    # The shop's own system, which knows of no new piece, does not take the days away.
    again = OrderInput(**{name: getattr(order, name) for name in order.__struct_fields__} | {"phone": "+359 2 000 001"})
    async with portal.begin() as db:
        assert (await put_order(db, API, portal.settings, again)).outcome == "updated"
    [row] = await portal.rows("SELECT delivered_at FROM orders")
    assert row.delivered_at > clock.now()


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
