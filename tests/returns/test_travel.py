"""The way of a parcel in words with real days: what was seen, what is expected, and what is said when it is late."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import SYSTEM, Actor
from returns_portal.carriers.gateway import Scan, ScanCode, Track
from returns_portal.labels.tracking import record
from returns_portal.refunds.filing import FiledReturn
from returns_portal.returns.models import RefundTo
from returns_portal.returns.pages.show import show_page
from returns_portal.returns.pages.words import when
from returns_portal.web import formats
from tests.portal import Portal

pytestmark = pytest.mark.anyio

LATE = "It takes longer than expected. We keep an eye on it, and write to you if it does not move."
# A Wednesday, noon in Sofia.
NOW = datetime(2026, 11, 18, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
async def local() -> AsyncIterator[None]:
    before = formats.zone.set("Europe/Sofia")
    with clock.at(NOW):
        yield
    formats.zone.reset(before)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 18), "today"),
        (date(2026, 11, 19), "tomorrow"),
        (date(2026, 11, 17), "yesterday"),
        (date(2026, 11, 24), "on Tuesday"),
        (date(2026, 11, 12), "on Thursday"),
        (date(2026, 11, 25), "on 25 November"),
        (date(2026, 11, 11), "on 11 November"),
        (date(2027, 1, 4), "on 4 January 2027"),
    ],
)
async def test_days_are_told_as_people_tell_them(day: date, words: str) -> None:
    assert when(day) == words


async def under_way(portal: Portal, *scans: Scan, expected: date | None = None, **way: RefundTo) -> FiledReturn:
    _order, [shoes] = await portal.order()
    await portal.work()
    filed = await portal.file("1001", (shoes, 1), **way)
    async with portal.begin() as db:
        bought = "UPDATE label SET carrier = 'easypost', status = 'sent' RETURNING id"
        label = (await db.execute(text(bought))).scalar_one()
        await record(db, label, Track(scans=list(scans), expected=expected))
    return filed


def scan(code: ScanCode, days_ago: float, place: str = "") -> Scan:
    return Scan(f"{code.value} {days_ago}", code, code.value, NOW - timedelta(days=days_ago), place)


async def told(portal: Portal, filed: FiledReturn) -> list[str]:
    async with portal.begin() as db:
        page = await show_page(db, SYSTEM, filed.rma)
    return [f"{step.title}: {step.note}" for step in page.steps[1:]]


async def figures(portal: Portal, **days: int) -> None:
    subjects = {"transit": "easypost", "refund": "original"}
    for kind, count in days.items():
        await portal.rows(
            "INSERT INTO pace VALUES (:kind, :subject, '', :days, 20, now()) RETURNING kind",
            kind=kind,
            subject=subjects[kind],
            days=count,
        )


async def test_what_the_carrier_says_comes_first(portal: Portal) -> None:
    await figures(portal, transit=9)
    filed = await under_way(
        portal,
        scan(ScanCode.PICKED_UP, 1, "Lviv"),
        scan(ScanCode.IN_TRANSIT, 0.1, "Kyiv"),
        expected=date(2026, 11, 20),
    )
    assert await told(portal, filed) == [
        "Handed in: The parcel was scanned in Lviv yesterday.",
        "Under way: The parcel was scanned in Kyiv today.",
        "Your parcel travels to us: Its carrier means to bring it on Friday.",
        "Money back: Refunds take 2–3 days after the parcel has arrived, so expect yours on Monday at the latest.",
    ]


async def test_what_was_measured_is_told_as_such(portal: Portal) -> None:
    filed = await under_way(portal, scan(ScanCode.PICKED_UP, 2))
    # Told of afterwards: the work of a filing at twenty past measures anew.
    await figures(portal, transit=4, refund=1)
    assert await told(portal, filed) == [
        "Handed in: The parcel was scanned on Monday.",
        "Your parcel travels to us: Parcels like yours took 4 days of late, so we expect it about then: on Friday.",
        "Money back: Refunds take about 1 day after the parcel has arrived, so expect yours on Saturday.",
    ]


async def test_without_figures_it_is_what_is_usual(portal: Portal) -> None:
    filed = await under_way(portal, scan(ScanCode.PICKED_UP, 0), to=RefundTo.POINTS)
    assert await told(portal, filed) == [
        "Handed in: The parcel was scanned today.",
        "Your parcel travels to us: Parcels usually take about 3 days, so we expect it on Saturday.",
        "Points in your account: as soon as the parcel is checked in",
    ]


async def test_what_is_late_is_not_promised_again(portal: Portal) -> None:
    filed = await under_way(portal, scan(ScanCode.PICKED_UP, 30))
    assert await told(portal, filed) == [
        "Handed in: The parcel was scanned on 19 October.",
        f"Your parcel travels to us: {LATE}",
        "Money back: usually 2–3 days after the parcel has arrived",
    ]


async def test_what_was_brought_waits_to_be_opened(portal: Portal) -> None:
    filed = await under_way(portal, scan(ScanCode.PICKED_UP, 3, "Lviv"), scan(ScanCode.DELIVERED, 0.2))
    assert await told(portal, filed) == [
        "Handed in: The parcel was scanned in Lviv on Sunday.",
        "Brought to us: Wednesday 18 November, 07:12",
        "We open it: We write to you what we counted.",
        "Money back: Refunds take 2–3 days after the parcel has arrived, so expect yours on Saturday at the latest.",
    ]


async def test_nothing_was_seen_yet(portal: Portal) -> None:
    _order, [shoes] = await portal.order()
    filed = await portal.file("1001", (shoes, 1))
    customer = Actor(kind="customer", id="kunde", order_id=(await portal.rows("SELECT id FROM orders"))[0].id)
    async with portal.begin() as db:
        page = await show_page(db, customer, filed.rma)
    assert page.steps[-1].note == "usually 2–3 days after the parcel has arrived"
