"""What is decided to be sent anew is set aside at once, all or nothing, and takes the place of what was claimed."""

from datetime import timedelta

import pytest

from returns_portal import clock
from returns_portal.catalog.actions import take_stock
from returns_portal.claims.models import Kind
from returns_portal.claims.replacements.models import ReplacementStatus
from returns_portal.errors import ConflictError
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput
from returns_portal.warehouse.models import Condition
from tests.claims.anew import PACKER, SHOE_SKU, called_off, sent, set_aside, shelved, waiting
from tests.claims.things import SOCKS, SUPPORT, claim, decided, delivered, standing
from tests.exchanges.samples import stock_of
from tests.portal import API, Portal, at_once
from tests.refunds.samples import paid_by_gateway

pytestmark = pytest.mark.anyio

S = ReplacementStatus


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
