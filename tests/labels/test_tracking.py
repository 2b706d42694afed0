"""Following parcels: the return follows its parcel, and the customer is told before they ask."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.carriers.gateway import News
from returns_portal.errors import ConflictError
from returns_portal.finance.filters import Basis, Filters
from returns_portal.finance.listing import reading
from returns_portal.finance.report import page_rows
from returns_portal.labels import inbox, sweeping, tracking
from returns_portal.labels.actions import again, another
from returns_portal.labels.arrivals import arrivals, page_of_arrivals
from returns_portal.labels.policy import carrier_policy, set_policy
from returns_portal.labels.queries import label_content, list_labels
from returns_portal.labels.voiding import try_again, void
from returns_portal.refunds.actions import undo
from returns_portal.refunds.filing import cancel
from returns_portal.returns.pages.show import show_page
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.queries import rma_for_code
from tests.labels.carried import ADMIN, SUPPORT, Carried
from tests.tryon import samples

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


@pytest.fixture
async def shop(carried: Carried) -> Carried:
    await carried.rule("easypost")
    return carried


async def letters(shop: Carried) -> list[str]:
    return [name for name in await shop.portal.mails() if name.startswith(("parcel", "pickup"))]


async def test_the_first_scan_is_told_and_the_rest_is_not_repeated(shop: Carried) -> None:
    filed, label = await shop.bought()
    now = clock.now()
    shop.easypost.hand_in(label.shipment_ref, now)
    for _ in range(3):
        await tracking.track(shop.context, label.id)
    label = await shop.label(filed)
    assert (label.status, label.last_scan) == ("in_transit", "picked_up")
    assert label.first_scan_at == now
    assert label.expected_on.isoformat() == "2026-11-20"
    assert await letters(shop) == ["parcel_on_its_way"]
    assert len(await shop.portal.rows("SELECT id FROM tracking_event")) == 2

    shop.easypost.bring(label.shipment_ref, now + DAY)
    await tracking.track(shop.context, label.id)
    label = await shop.label(filed)
    assert (label.status, label.delivered_at) == ("delivered", now + DAY)
    assert await letters(shop) == ["parcel_on_its_way", "parcel_delivered"]


async def test_the_town_of_a_scan_is_kept(shop: Carried) -> None:
    _filed, label = await shop.bought()
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    await tracking.track(shop.context, label.id)
    told = await shop.portal.rows("SELECT code, place FROM tracking_event ORDER BY at")
    assert ("picked_up", "Houston") in [tuple(row) for row in told]


async def test_a_parcel_that_is_here_already_is_not_told_of(shop: Carried) -> None:
    filed, label = await shop.bought()
    await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    shop.easypost.bring(label.shipment_ref, clock.now() + timedelta(hours=1))
    await tracking.track(shop.context, label.id)
    assert (await shop.label(filed)).status == "delivered"
    assert await letters(shop) == []


async def test_a_check_in_brings_the_label_home_without_any_scan(shop: Carried) -> None:
    filed, _ = await shop.bought()
    await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
    await sweeping.sweep(shop.portal.begin)
    label = await shop.label(filed)
    assert label.status == "delivered"
    assert label.delivered_at is not None


@pytest.mark.parametrize(("moved", "before"), [(False, "sent"), (True, "in_transit")])
async def test_an_undone_check_in_leaves_the_label_where_its_parcel_is(
    shop: Carried, before: str, *, moved: bool
) -> None:
    filed, label = await shop.bought()
    if moved:
        shop.easypost.hand_in(label.shipment_ref, clock.now())
        await tracking.track(shop.context, label.id)
    released = await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE), delay=600)
    await sweeping.sweep(shop.portal.begin)
    assert (await shop.label(filed)).status == "delivered"
    async with shop.portal.begin() as db:
        await undo(db, SUPPORT, released.check_in_id)
    await sweeping.sweep(shop.portal.begin)
    label = await shop.label(filed)
    assert (label.status, label.delivered_at) == (before, None)
    # It is counted once more, and is home.
    await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
    await sweeping.sweep(shop.portal.begin)
    assert (await shop.label(filed)).status == "delivered"


async def test_an_undone_check_in_changes_nothing_of_what_the_carrier_said(shop: Carried) -> None:
    filed, label = await shop.bought()
    brought = clock.now() - DAY
    shop.easypost.bring(label.shipment_ref, brought)
    await tracking.track(shop.context, label.id)
    released = await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE), delay=600)
    async with shop.portal.begin() as db:
        await undo(db, SUPPORT, released.check_in_id)
    await sweeping.sweep(shop.portal.begin)
    label = await shop.label(filed)
    assert (label.status, label.delivered_at) == ("delivered", brought)


async def test_a_webhook_is_stored_once_and_its_parcel_is_looked_at(shop: Carried) -> None:
    filed, label = await shop.bought()
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    news = News("evt_1", "tracker.updated", label.shipment_ref, label.tracking)
    async with shop.portal.begin() as db:
        assert await inbox.store(db, "easypost", news, b"{}")
        assert not await inbox.store(db, "easypost", news, b"{}")
    await shop.portal.work()
    assert (await shop.label(filed)).status == "in_transit"
    [row] = await shop.portal.rows("SELECT handled_at, body FROM carrier_news")
    assert row.handled_at is not None
    assert bytes(row.body) == b"{}"
    with clock.shifted(91 * DAY):
        await inbox.forget_bodies(shop.portal.begin)
    [row] = await shop.portal.rows("SELECT body FROM carrier_news")
    assert row.body is None


async def test_news_of_a_parcel_that_is_not_ours_changes_nothing(shop: Carried) -> None:
    await shop.bought()
    async with shop.portal.begin() as db:
        await inbox.store(db, "easypost", News("evt_9", "tracker.updated", "shp_other", "X"), b"{}")
    calls = len(shop.easypost.server.calls)
    await shop.portal.work()
    assert len(shop.easypost.server.calls) == calls


async def test_what_nobody_tells_of_is_asked_for(shop: Carried) -> None:
    filed, label = await shop.bought()
    assert await tracking.poll(shop.portal.begin) == 0
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    with clock.shifted(timedelta(hours=9)):
        assert await tracking.poll(shop.portal.begin) == 1
        assert await tracking.poll(shop.portal.begin) == 0
    await shop.portal.work()
    assert (await shop.label(filed)).status == "in_transit"


async def test_a_parcel_that_does_not_move_is_told_of_once_then_counts_as_lost_and_may_turn_up(shop: Carried) -> None:
    filed, label = await shop.bought()
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    await tracking.track(shop.context, label.id)
    for days, expected in ((4, 1), (6, 2), (7, 2), (21, 3), (22, 3)):
        with clock.shifted(days * DAY):
            await sweeping.watch(shop.portal.begin)
        assert len(await letters(shop)) == expected
    assert await letters(shop) == ["parcel_on_its_way", "parcel_stuck", "parcel_lost"]
    assert (await shop.label(filed)).status == "lost"
    await shop.portal.work()
    [claim] = await shop.portal.rows("SELECT * FROM carrier_claim")
    assert (claim.return_id, claim.kind, claim.status) == (filed.id, "missing", "open")
    assert (claim.carrier, claim.tracking) == ("easypost", label.tracking)
    shop.easypost.bring(label.shipment_ref, clock.now() + 23 * DAY)
    await tracking.track(shop.context, label.id)
    assert (await shop.label(filed)).status == "delivered"


async def test_a_parcel_that_goes_back_to_the_customer_is_told_of(shop: Carried) -> None:
    _, label = await shop.bought()
    now = clock.now()
    shop.easypost.hand_in(label.shipment_ref, now)
    await tracking.track(shop.context, label.id)
    at = (now + DAY).isoformat()
    shop.easypost.server.scan(label.shipment_ref, "return_to_sender", "return", "Return to Sender", at)
    await tracking.track(shop.context, label.id)
    assert await letters(shop) == ["parcel_on_its_way", "parcel_stuck"]
    [mail] = await shop.portal.rows("SELECT values FROM email WHERE template = 'parcel_stuck'")
    assert mail.values["returned"] is True


async def test_an_old_scan_that_comes_late_brings_nothing_back(shop: Carried) -> None:
    filed, label = await shop.bought()
    now = clock.now()
    shop.easypost.bring(label.shipment_ref, now)
    await tracking.track(shop.context, label.id)
    shop.easypost.hand_in(label.shipment_ref, now - DAY)
    await tracking.track(shop.context, label.id)
    label = await shop.label(filed)
    assert (label.status, label.last_scan, label.reused_at) == ("delivered", "delivered", None)
    assert label.first_scan_at == now - DAY
    assert await letters(shop) == ["parcel_delivered"]


async def test_a_label_that_is_used_again_is_flagged_and_not_refused(shop: Carried) -> None:
    filed, label = await shop.bought()
    now = clock.now()
    shop.easypost.bring(label.shipment_ref, now)
    await tracking.track(shop.context, label.id)
    shop.easypost.hand_in(label.shipment_ref, now + 3 * DAY)
    await tracking.track(shop.context, label.id)
    label = await shop.label(filed)
    assert (label.status, label.reused_at) == ("delivered", now + 3 * DAY)


async def test_a_second_parcel_without_a_label_of_its_own_is_flagged(shop: Carried) -> None:
    filed, _ = await shop.bought()
    line = filed.lines[0].line_id
    await shop.portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    await shop.portal.receive(filed.rma, number=2)
    await sweeping.sweep(shop.portal.begin)
    assert (await shop.label(filed)).reused_at is not None


async def test_a_prepaid_label_that_was_given_back_and_came_all_the_same_is_flagged(carried: Carried) -> None:
    filed = await carried.filed()
    label = await carried.label(filed)
    async with carried.portal.begin() as db:
        await void(db, SUPPORT, label.id)
    await sweeping.sweep(carried.portal.begin)
    assert (await carried.label(filed)).reused_at is None
    await carried.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
    await sweeping.sweep(carried.portal.begin)
    label = await carried.label(filed)
    [parcel] = await carried.portal.rows("SELECT checked_in_at FROM parcel")
    assert (label.status, label.reused_at) == ("voided", parcel.checked_in_at)
    async with carried.portal.begin() as db:
        assert [row.id for row in await list_labels(db, SUPPORT, chosen="reused")] == [label.id]


async def test_a_label_that_was_given_back_for_another_one_is_not_flagged_when_that_comes(carried: Carried) -> None:
    filed = await carried.filed()
    async with carried.portal.begin() as db:
        await void(db, SUPPORT, (await carried.label(filed)).id)
        await again(db, SYSTEM, filed.rma)
    await carried.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
    await sweeping.sweep(carried.portal.begin)
    labels = await carried.portal.rows("SELECT status, reused_at FROM label ORDER BY id")
    assert [tuple(label) for label in labels] == [("voided", None), ("delivered", None)]


async def test_a_prepaid_label_ends_after_its_time_and_can_be_had_anew(carried: Carried) -> None:
    async with carried.portal.begin() as db:
        await set_policy(db, ADMIN, msgspec.structs.replace(await carrier_policy(db), label_days=60))
    filed = await carried.filed()
    with clock.shifted(59 * DAY):
        await sweeping.watch(carried.portal.begin)
        assert (await carried.label(filed)).status == "bought"
    with clock.shifted(61 * DAY):
        await sweeping.watch(carried.portal.begin)
        ended = await carried.label(filed)
        assert (ended.status, ended.expires_at) == ("expired", ended.created_at + 60 * DAY)
        async with carried.portal.begin() as db:
            assert (await show_page(db, SYSTEM, filed.rma)).label.renewable
            with pytest.raises(ConflictError, match="not valid any more"):
                await label_content(db, SYSTEM, filed.rma, shop=DEFAULT, sandbox=True)
            await again(db, SYSTEM, filed.rma)
        fresh = await carried.label(filed)
        assert (fresh.status, fresh.expires_at) == ("bought", fresh.created_at + 60 * DAY)
        async with carried.portal.begin() as db:
            assert not (await show_page(db, SYSTEM, filed.rma)).label.renewable


async def test_a_prepaid_label_that_ended_and_came_all_the_same_is_home(carried: Carried) -> None:
    filed = await carried.filed()
    with clock.shifted(366 * DAY):
        await sweeping.watch(carried.portal.begin)
        assert (await carried.label(filed)).status == "expired"
        await carried.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
        await sweeping.sweep(carried.portal.begin)
    assert (await carried.label(filed)).status == "delivered"


async def test_the_prepaid_label_behind_the_last_rule_ends_too_and_a_carriers_does_not(shop: Carried) -> None:
    filed, label = await shop.bought()
    assert label.expires_at is None
    shop.easypost.faults.set("prepare", "refused", lasting=True)
    filed = await shop.filed("1002")
    await shop.portal.work()
    label = await shop.label(filed)
    assert (label.carrier, label.expires_at) == ("prepaid", label.bought_at + 365 * DAY)


async def test_an_unused_label_is_given_back_after_its_time(shop: Carried) -> None:
    filed, label = await shop.bought()
    with clock.shifted(24 * DAY):
        await sweeping.watch(shop.portal.begin)
        assert (await shop.label(filed)).status == "sent"
    with clock.shifted(26 * DAY):
        await sweeping.watch(shop.portal.begin)
    await shop.portal.work()
    label = await shop.label(filed)
    assert (label.status, label.void_status) == ("voided", "submitted")
    # The carrier's word comes later, and is asked for.
    shop.easypost.server.shipments[label.shipment_ref]["refund_status"] = "refunded"
    with clock.shifted(timedelta(hours=9)):
        assert await tracking.poll(shop.portal.begin) == 1
    await shop.portal.work()
    assert (await shop.label(filed)).void_status == "refunded"


async def test_the_label_of_a_cancelled_return_is_given_back(shop: Carried) -> None:
    filed, _ = await shop.bought()
    async with shop.portal.begin() as db:
        await cancel(db, SYSTEM, filed.rma)
    await sweeping.sweep(shop.portal.begin)
    await shop.portal.work()
    label = await shop.label(filed)
    assert (label.status, label.void_status) == ("voided", "submitted")
    assert shop.easypost.server.calls.count("void") == 1


async def test_a_return_whose_parcel_is_under_way_is_not_cancelled(shop: Carried) -> None:
    filed, label = await shop.bought()
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    await tracking.track(shop.context, label.id)
    async with shop.portal.begin() as db:
        with pytest.raises(ConflictError, match="carrier has the parcel"):
            await cancel(db, SYSTEM, filed.rma)


async def test_a_void_is_asked_once_also_without_an_answer(shop: Carried) -> None:
    filed, label = await shop.bought()
    async with shop.portal.begin() as db:
        await void(db, SUPPORT, label.id)
    shop.easypost.faults.set("void", "lost after")
    await shop.portal.work()
    assert (await shop.label(filed)).void_status == ""
    with clock.shifted(timedelta(minutes=30)):
        await sweeping.sweep(shop.portal.begin)
    await shop.portal.work()
    assert (await shop.label(filed)).void_status == "submitted"
    assert shop.easypost.server.calls.count("void") == 1


async def test_a_void_that_was_rejected_can_be_asked_again_by_staff(shop: Carried) -> None:
    filed, label = await shop.bought()
    shop.easypost.faults.set("void", "refused")
    async with shop.portal.begin() as db:
        await void(db, SUPPORT, label.id)
    await shop.portal.work()
    assert (await shop.label(filed)).void_status == "rejected"
    async with shop.portal.begin() as db:
        await try_again(db, SUPPORT, label.id)
    await shop.portal.work()
    assert (await shop.label(filed)).void_status == "submitted"


async def test_a_used_label_is_not_given_back(shop: Carried) -> None:
    _, label = await shop.bought()
    shop.easypost.hand_in(label.shipment_ref, clock.now())
    await tracking.track(shop.context, label.id)
    async with shop.portal.begin() as db:
        with pytest.raises(ConflictError):
            await void(db, SUPPORT, label.id)


async def test_the_dock_sees_what_comes_today_and_what_should_have_come(shop: Carried) -> None:
    with clock.at(datetime(2026, 11, 16, 9, tzinfo=UTC)):
        filed, label = await shop.bought()
        shop.easypost.hand_in(label.shipment_ref, clock.now())
        await tracking.track(shop.context, label.id)
        async with shop.portal.begin() as db:
            assert await arrivals(db, SUPPORT, datetime(2026, 11, 19, tzinfo=UTC).date()) == []
            [found] = await arrivals(db, SUPPORT, datetime(2026, 11, 20, tzinfo=UTC).date())
        assert (found.rma, found.carrier, found.last_event) == (filed.rma, "easypost", "picked_up")
        assert (found.quantity, found.value, found.currency) == (1, 15900, "EUR")
    with clock.at(datetime(2026, 11, 22, 9, tzinfo=UTC)):
        async with shop.portal.begin() as db:
            [late] = await arrivals(db, SUPPORT, datetime(2026, 11, 22, tzinfo=UTC).date())
            assert late.expected.isoformat() == "2026-11-20"
        await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
        async with shop.portal.begin() as db:
            assert await arrivals(db, SUPPORT, datetime(2026, 11, 22, tzinfo=UTC).date()) == []


async def test_what_is_expected_comes_in_pages_each_parcel_once(carried: Carried) -> None:
    with clock.at(datetime(2026, 11, 16, 9, tzinfo=UTC)):
        filed = {(await carried.filed(number)).rma for number in ("1001", "1002", "1003", "1004", "1005")}
        day, cursor = datetime(2026, 11, 21, tzinfo=UTC).date(), None
        pages: list[list[str]] = []
        async with carried.portal.begin() as db:
            while len(pages) < len(filed):
                page = await page_of_arrivals(db, SUPPORT, day, cursor, 2)
                pages.append([each.rma for each in page.items])
                cursor = page.next_cursor
                if cursor is None:
                    break
    assert [len(page) for page in pages] == [2, 2, 1]
    assert {rma for page in pages for rma in page} == filed


async def test_a_prepaid_parcel_is_expected_some_days_after_its_label(carried: Carried) -> None:
    with clock.at(datetime(2026, 11, 16, 9, tzinfo=UTC)):
        filed = await carried.filed()
        async with carried.portal.begin() as db:
            [found] = await arrivals(db, SUPPORT, datetime(2026, 11, 21, tzinfo=UTC).date())
    assert (found.rma, found.carrier, found.tracking) == (filed.rma, "prepaid", "")


async def test_the_refund_report_says_what_the_label_of_the_parcel_cost(shop: Carried) -> None:
    filed, _ = await shop.bought()
    await shop.portal.receive(filed.rma, (filed.lines[0].line_id, 1, Condition.RESELLABLE))
    today = clock.now().date()
    filters = Filters(first=today - DAY, last=today + DAY, zone="UTC", basis=Basis.REQUESTED)
    async with reading(shop.portal.begin) as driver:
        [row] = await page_rows(driver, filters, after=None, limit=10)
    assert (row.label_cost, row.label_currency, row.currency) == (Decimal("5.45"), "USD", "EUR")


async def test_the_dock_finds_a_return_by_the_carriers_number(shop: Carried) -> None:
    filed, label = await shop.bought()
    await shop.portal.rows("UPDATE label SET code = :rma RETURNING id", rma=filed.rma)
    async with shop.portal.begin() as db:
        assert await rma_for_code(db, SUPPORT, label.tracking) == filed.rma


async def test_a_trial_is_told_that_its_return_is_under_way_and_its_own_label_is_the_prepaid_one(shop: Carried) -> None:
    trial = await samples.place(shop.portal, (await samples.boots(shop.portal))[:2])
    await shop.portal.work()
    await samples.shipped(shop.portal, trial)
    await samples.delivered(shop.portal, trial)
    trial = await samples.seen(shop.portal, trial)
    assert trial.rma is not None
    [label] = await shop.portal.rows("SELECT carrier, status FROM label")
    assert (label.carrier, label.status) == ("prepaid", "bought")
    # A second parcel has a label of a carrier, and that one is scanned.
    async with shop.portal.begin() as db:
        await another(db, SYSTEM, trial.rma)
    await shop.portal.work()
    [label] = await shop.portal.rows("SELECT * FROM label WHERE number = 2")
    assert label.carrier == "easypost"
    now = clock.now()
    shop.easypost.hand_in(label.shipment_ref, now)
    await tracking.track(shop.context, label.id)
    await shop.portal.work()
    [row] = await shop.portal.rows("SELECT return_scanned_at FROM trial")
    assert row.return_scanned_at == now
