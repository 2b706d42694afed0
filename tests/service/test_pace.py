"""How soon questions are answered: measured, and said only of enough of them."""

from datetime import timedelta

import pytest

from returns_portal import clock, i18n
from returns_portal.ids import new_id
from returns_portal.service.pace import Pace, duration, in_words, measure
from tests.portal import Portal
from tests.service.things import MONDAY

pytestmark = pytest.mark.anyio


async def answered(portal: Portal, *minutes: float | None, days: float = 1) -> None:
    """Questions that were answered so many minutes after they were asked; None for those who wait."""
    opened = MONDAY - timedelta(days=days)
    for wait in minutes:
        await portal.rows(
            "INSERT INTO question (id, number, subject, source, email, email_key, name, locale, product, state,"
            " opened_at, asked_at, due_at, first_reply_at, changed_at, schedule, goal_minutes)"
            " VALUES (:id, :number, '', 'form', 'a@b.c', 'a@b.c', '', 'en', '', :state, :opened,"
            " CAST(:asked AS timestamptz), CAST(:asked AS timestamptz), :first, :opened,"
            """ '{"zone": "UTC", "week": [[], [], [], [], [], [], []]}', 60) RETURNING id""",
            id=new_id(),
            number=str(new_id()),
            state="waiting" if wait is None else "answered",
            opened=opened,
            asked=opened if wait is None else None,
            first=None if wait is None else opened + timedelta(minutes=wait),
        )


async def measured(portal: Portal) -> Pace | None:
    with clock.at(MONDAY):
        async with portal.begin() as db:
            return await measure(db)


async def test_ten_have_to_be_answered_before_anything_is_said(portal: Portal) -> None:
    await answered(portal, *range(1, 10), None)
    assert await measured(portal) is None
    await answered(portal, 5, days=91)
    assert await measured(portal) is None
    await answered(portal, 10)
    found = await measured(portal)
    assert found is not None


async def test_the_median_and_nine_of_ten(portal: Portal) -> None:
    await answered(portal, *range(10, 120, 10))
    assert await measured(portal) == Pace(60 * 60, 100 * 60)


async def test_who_waits_longer_than_others_did_is_not_left_out(portal: Portal) -> None:
    await answered(portal, *range(10, 120, 10))
    await answered(portal, *[None] * 11)
    found = await measured(portal)
    assert found is not None
    assert found.p90 == 86_400
    # Who has asked a moment ago says nothing yet.
    await answered(portal, *[None] * 30, days=0.001)
    assert await measured(portal) == found


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "5 minutes"),
        (301, "10 minutes"),
        (3301, "1 hour"),
        (3601, "2 hours"),
        (172_800, "48 hours"),
        (172_801, "3 days"),
    ],
)
def test_no_time_is_said_to_be_shorter_than_it_is(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_it_is_said_in_the_readers_language() -> None:
    assert in_words(None) == ""
    assert in_words(Pace(3000, 80_000)) == (
        "Usual time until an answer, measured over the last 90 days: 50 minutes. Nine of ten came within: 23 hours."
    )
    with i18n.speaking("de"):
        assert "50 Minuten" in in_words(Pace(3000, 80_000))
