"""Who pays for sending goods back: said before, kept once, booked as income, and never of faulty goods."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.errors import ConflictError
from returns_portal.finance import credit_notes
from returns_portal.policies.actions import publish
from returns_portal.policies.content import Conditions, Content, Effects, Postage, Rule
from returns_portal.refunds import actions, lowering
from returns_portal.refunds.filing import FiledReturn, file
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.orders.samples import a_line
from tests.portal import API, FINANCE, Portal

pytestmark = pytest.mark.anyio
FEE = Content(postage=Postage.CUSTOMER, fees={"EUR": 490})
FINE = Condition.RESELLABLE


async def promised(portal: Portal, content: Content) -> None:
    async with portal.begin() as db:
        await publish(db, SYSTEM, content)


async def an_order(portal: Portal, **changes: object) -> tuple[str, list[UUID]]:
    """An order placed by now, so that the newest policy judges it."""
    now = clock.now()
    order, lines = await portal.order(**{"placed_at": now, "delivered_at": now} | changes)
    return order.number, lines


async def filed(portal: Portal, number: str, *wanted: Wanted, to: RefundTo = RefundTo.ORIGINAL) -> FiledReturn:
    async with portal.begin() as db:
        return await file(db, API, portal.settings, DEFAULT, number, wanted, to)


async def income(portal: Portal) -> int:
    [row] = await portal.rows(
        "SELECT coalesce(sum(amount), 0) AS sum FROM ledger_entry WHERE account = 'postage_income'"
    )
    return -int(row.sum)


async def test_the_fee_is_in_the_preview_and_kept_of_the_refund(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1))
    assert (made.preview.total, made.preview.fee) == (15900 - 490, 490)
    await portal.receive(made.rma, (line, 1, FINE))
    await portal.work()
    [refund] = await portal.refunds(made)
    assert (refund.status, refund.amount, refund.fee) == ("succeeded", 15410, 490)
    assert await income(portal) == 490


async def test_of_two_parcels_the_first_pays_it(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 2))
    await portal.receive(made.rma, (line, 1, FINE))
    await portal.receive(made.rma, (line, 1, FINE), number=2)
    await portal.work()
    # The second brings the order's delivery back, too, of which nothing is kept.
    assert [(refund.amount, refund.fee) for refund in await portal.refunds(made)] == [(15410, 490), (15900 + 490, 0)]


async def test_a_check_in_that_is_undone_leaves_it_to_the_next(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1))
    delayed = portal.settings.model_copy(update={"undo_seconds": 600, "refund_delay": 600})
    async with portal.begin() as db:
        counted = await actions.receive(db, API, delayed, made.rma, [Counted(line, 1, FINE)])
    async with portal.begin() as db:
        await actions.undo(db, API, counted.check_in_id)
    assert await income(portal) == 0
    await portal.receive(made.rma, (line, 1, FINE))
    await portal.work()
    assert await income(portal) == 490


async def test_what_is_worth_no_more_than_the_fee_is_paid_in_full(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal, lines=[a_line(unit_price=490, tax=0, quantity=1)])
    made = await filed(portal, number, Wanted(line, 1))
    assert (made.preview.total, made.preview.fee) == (980, 0)
    await portal.receive(made.rma, (line, 1, FINE))
    await portal.work()
    assert await income(portal) == 0


async def test_nothing_is_kept_of_faulty_goods(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1, "the sole is off", faulty=True))
    assert (made.preview.fee, made.postage) == (0, Postage.SHOP)


async def test_an_order_of_before_is_judged_by_the_policy_of_before(portal: Portal) -> None:
    await promised(portal, FEE)
    order, [line] = await portal.order(placed_at=datetime(2026, 10, 5, tzinfo=UTC), delivered_at=clock.now())
    made = await filed(portal, order.number, Wanted(line, 1))
    assert made.preview.fee == 0


async def test_as_points_the_bonus_is_on_what_is_left(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1), to=RefundTo.POINTS)
    assert (made.preview.total, made.preview.bonus) == (15410, 1541)
    await portal.receive(made.rma, (line, 1, FINE))
    await portal.work()
    assert await portal.points("kunde@example.com") == {"EUR": 15410 + 1541}


async def test_a_refund_that_is_closed_with_nothing_keeps_nothing(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1))
    await portal.receive(made.rma, (line, 1, FINE))
    [refund] = await portal.refunds(made)
    async with portal.begin() as db:
        await transition(db, FINANCE, refund.id, RefundStatus.FAILED, failure="nothing_left")
        await lowering.lower(db, FINANCE, refund.id, 0)
    assert await income(portal) == 0


async def test_the_credit_note_says_what_was_kept(portal: Portal) -> None:
    await promised(portal, FEE)
    number, [line] = await an_order(portal)
    made = await filed(portal, number, Wanted(line, 1))
    await portal.receive(made.rma, (line, 1, FINE))
    await portal.work()
    await credit_notes.issue(portal.begin)
    [note] = await portal.rows("SELECT content FROM credit_note")
    [row] = note.content["lines"]
    assert row["amount"] - note.content["fee"] == note.content["amount"] == 15410
    assert row["tax"] - note.content["fee_tax"] == note.content["tax"]


async def test_a_final_sale_is_refused_by_its_name(portal: Portal) -> None:
    final = Effects(final_sale=True, exception="hygiene")
    await promised(portal, Content(rules=(Rule("Underwear", Conditions(skus=("KE-*",)), final),)))
    number, [line] = await an_order(portal)
    with pytest.raises(ConflictError) as refused:
        await filed(portal, number, Wanted(line, 1))
    assert (refused.value.code, refused.value.values) == ("final_sale", {"rule": "Underwear"})


async def test_an_outcome_that_is_not_offered_is_refused(portal: Portal) -> None:
    await promised(portal, Content(outcomes=("original",)))
    number, [line] = await an_order(portal)
    with pytest.raises(ConflictError) as refused:
        await filed(portal, number, Wanted(line, 1), to=RefundTo.POINTS)
    assert refused.value.code == "outcome_not_offered"
