"""Several orders in one parcel: one label, one postage, a return and a refund for each order."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, NotFoundError
from returns_portal.labels.together import own_parcel, regroup
from returns_portal.refunds.filing import FiledReturn, file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.returns.queries import ReturnView, return_for
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.orders.samples import ADDRESS, a_line
from tests.policies.test_postage import FEE, promised
from tests.policies.test_ways import OWN
from tests.portal import API, Portal, at_once

pytestmark = pytest.mark.anyio


async def orders(portal: Portal, *numbers: str, **changes: Any) -> list[UUID]:  # noqa: ANN401 - the fields of an order
    """Orders of one person, each of one pair; its line's id."""
    made = []
    for number in numbers:
        _order, (line,) = await portal.order(
            **{
                "number": number,
                "lines": [a_line(quantity=1, tax=2650)],
                "delivered_at": clock.now() - timedelta(days=2),
            }
            | changes
        )
        made.append(line)
    return made


async def together(portal: Portal, number: str, line: UUID, leading: str, actor: Actor = API) -> FiledReturn:
    async with portal.begin() as db:
        wanted = [Wanted(line, 1)]
        return await file(db, actor, portal.settings, DEFAULT, number, wanted, RefundTo.ORIGINAL, in_parcel_of=leading)


async def seen(portal: Portal, rma: str) -> ReturnView:
    async with portal.begin() as db:
        return await return_for(db, API, rma)


async def labels(portal: Portal) -> list[tuple[str, str]]:
    rows = await portal.rows("SELECT r.rma, b.status FROM label b JOIN returns r ON r.id = b.return_id ORDER BY b.id")
    return [(row.rma, row.status) for row in rows]


async def test_two_orders_share_a_parcel_and_its_one_label(portal: Portal) -> None:
    first, second = await orders(portal, "2101", "2102")
    lead = await portal.file("2101", (first, 1))
    follower = await together(portal, "2102", second, lead.rma)

    assert follower.in_parcel_of == lead.rma
    assert await labels(portal) == [(lead.rma, "bought")]
    view = await seen(portal, follower.rma)
    assert (view.in_parcel_of, view.fellows, view.label_code) == (lead.rma, [lead.rma], lead.rma)
    assert (await seen(portal, lead.rma)).fellows == [follower.rma]
    # Each is counted and paid for by itself.
    await portal.receive(lead.rma, (first, 1, Condition.RESELLABLE))
    assert (await seen(portal, follower.rma)).status == "filed"
    await portal.receive(follower.rma, (second, 1, Condition.RESELLABLE))
    await portal.work()
    assert await portal.statuses(lead) == ["succeeded"]
    assert await portal.statuses(follower) == ["succeeded"]


async def test_only_orders_of_the_same_person_and_country_travel_together(portal: Portal) -> None:
    first, other, abroad = (
        *(await orders(portal, "2111")),
        *(await orders(portal, "2112", email="somebody@example.com")),
        *(await orders(portal, "2113", shipping_address=replace(ADDRESS, country="DE"))),
    )
    lead = await portal.file("2111", (first, 1))
    with pytest.raises(NotFoundError):
        await together(portal, "2112", other, lead.rma)
    with pytest.raises(ConflictError) as caught:
        await together(portal, "2113", abroad, lead.rma)
    assert (caught.value.code, caught.value.field) == ("parcel_closed", "in_parcel_of")
    assert len(await portal.rows("SELECT id FROM returns")) == 1, "nothing was filed"


async def test_who_has_not_proven_the_address_learns_of_no_other_order(portal: Portal) -> None:
    first, second = await orders(portal, "2116", "2117")
    lead = await portal.file("2116", (first, 1))
    [row] = await portal.rows("SELECT id FROM orders WHERE number = '2117'")
    placed = Actor(kind="customer", id=str(row.id), order_id=row.id, knows_inbox=False)
    with pytest.raises(NotFoundError):
        await together(portal, "2117", second, lead.rma, placed)
    proven = Actor(kind="customer", id=str(row.id), order_id=row.id)
    assert (await together(portal, "2117", second, lead.rma, proven)).in_parcel_of == lead.rma


async def test_a_parcel_on_its_way_takes_nothing_more_and_gives_nothing_back(portal: Portal) -> None:
    first, second, third = await orders(portal, "2121", "2122", "2123")
    lead = await portal.file("2121", (first, 1))
    follower = await together(portal, "2122", second, lead.rma)
    await portal.rows("UPDATE label SET status = 'in_transit', first_scan_at = now() RETURNING id")
    with pytest.raises(ConflictError) as caught:
        await together(portal, "2123", third, lead.rma)
    assert caught.value.code == "parcel_closed"
    with pytest.raises(ConflictError):
        await portal.cancel(follower.rma)
    async with portal.begin() as db:
        with pytest.raises(ConflictError):
            await own_parcel(db, API, follower.rma)
    assert (await seen(portal, follower.rma)).first_scan_at is not None


async def test_nothing_follows_a_return_that_follows(portal: Portal) -> None:
    first, second, third = await orders(portal, "2126", "2127", "2128")
    lead = await portal.file("2126", (first, 1))
    follower = await together(portal, "2127", second, lead.rma)
    with pytest.raises(ConflictError):
        await together(portal, "2128", third, follower.rma)
    assert (await together(portal, "2128", third, lead.rma)).in_parcel_of == lead.rma
    assert len((await seen(portal, follower.rma)).fellows) == 2


async def test_postage_is_paid_once_by_parcel(portal: Portal) -> None:
    await promised(portal, FEE)
    first, second = await orders(portal, "2131", "2132", placed_at=clock.now())
    lead = await portal.file("2131", (first, 1))
    follower = await together(portal, "2132", second, lead.rma)
    assert (lead.preview.fee, follower.preview.fee) == (490, 0)

    # By itself it pays what the policy of its order's day has; and what is paid does not change by asking twice.
    async with portal.begin() as db:
        assert await own_parcel(db, API, follower.rma)
        assert not await own_parcel(db, API, follower.rma)
    view = await seen(portal, follower.rma)
    assert (view.postage, view.postage_fee, view.in_parcel_of) == ("customer", 490, "")
    assert await labels(portal) == [(lead.rma, "bought"), (follower.rma, "bought")]


async def test_where_the_leading_return_is_cancelled_the_oldest_leads_and_no_more_is_paid(portal: Portal) -> None:
    await promised(portal, FEE)
    lines = await orders(portal, "2136", "2137", "2138", placed_at=clock.now())
    lead = await portal.file("2136", (lines[0], 1))
    one = await together(portal, "2137", lines[1], lead.rma)
    two = await together(portal, "2138", lines[2], lead.rma)
    await portal.cancel(lead.rma)
    await portal.work()
    first, second = await seen(portal, one.rma), await seen(portal, two.rma)
    assert (first.in_parcel_of, first.fellows, first.postage_fee) == ("", [two.rma], 490)
    assert (second.in_parcel_of, second.postage_fee, second.label_code) == (one.rma, 0, one.rma)
    assert (one.rma, "bought") in await labels(portal)
    assert (await portal.mails()).count("parcel_regrouped") == 1
    # A job may run twice.
    await regroup(portal.begin, lead.id)
    assert len([label for label in await labels(portal) if label[0] == one.rma]) == 1


async def test_a_follower_that_is_cancelled_leaves_the_parcel_as_it_is(portal: Portal) -> None:
    first, second = await orders(portal, "2141", "2142")
    lead = await portal.file("2141", (first, 1))
    follower = await together(portal, "2142", second, lead.rma)
    await portal.cancel(follower.rma)
    await portal.work()
    assert (await seen(portal, lead.rma)).fellows == []
    assert await labels(portal) == [(lead.rma, "bought")]
    again = await together(portal, "2142", second, lead.rma)
    assert (await seen(portal, lead.rma)).fellows == [again.rma]


async def test_joining_and_cancelling_at_once_leave_nobody_without_a_label(portal: Portal) -> None:
    lines = await orders(portal, *(f"21{number}" for number in range(50, 62)))
    for index in range(0, 12, 2):
        lead = await portal.file(f"21{50 + index}", (lines[index], 1))
        joined, cancelled = await at_once(
            together(portal, f"21{51 + index}", lines[index + 1], lead.rma), portal.cancel(lead.rma)
        )
        assert cancelled is None
        assert isinstance(joined, FiledReturn | ConflictError), joined
        await portal.work()
        if isinstance(joined, FiledReturn):
            assert (await seen(portal, joined.rma)).in_parcel_of == ""
            assert (joined.rma, "bought") in await labels(portal)


async def test_who_pays_the_carrier_for_a_parcel_does_not_pay_for_what_travels_free(portal: Portal) -> None:
    await promised(portal, OWN)
    first, second = await orders(portal, "2171", "2172", placed_at=clock.now())
    lead = await portal.file("2171", (first, 1))
    follower = await together(portal, "2172", second, lead.rma)
    assert (follower.postage, await labels(portal)) == ("own_label", [])
    await portal.cancel(follower.rma)
    wanted = [Wanted(second, 1, faulty=True)]
    async with portal.begin() as db:
        with pytest.raises(ConflictError) as caught:
            await file(db, API, portal.settings, DEFAULT, "2172", wanted, RefundTo.ORIGINAL, in_parcel_of=lead.rma)
    assert caught.value.code == "own_label_parcel"
