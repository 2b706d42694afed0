"""The inbox below its address: what is stored once, what was missed, and what is forgotten in time."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from returns_portal import clock
from returns_portal.db import Begin
from returns_portal.payments.gateway import GatewayBusyError, GatewayNews, GatewayUnknownError
from returns_portal.payments.inbox import EVENTS, KEPT, OVERLAP, forget_bodies, poll, store
from returns_portal.payments.models import FoundBy
from returns_portal.payments.stripe import StripeGateway

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def news(number: int, *, age: float = 0) -> GatewayNews:
    return GatewayNews(
        id=f"evt_{number}",
        type="refund.updated",
        object_kind="refund",
        object_id=f"re_{number}",
        created=NOW - timedelta(minutes=age),
        body=b"{}",
    )


class Stripe(StripeGateway):
    """A gateway that keeps events, newest first, and may stop in the middle of them."""

    def __init__(self, *events: GatewayNews, breaks_after: int | None = None) -> None:
        super().__init__(key="sk_test_none", base="http://127.0.0.1:1")
        self._events = events
        self._breaks_after = breaks_after
        self.asked: list[datetime] = []

    async def list_events(self, since: datetime, types: Sequence[str]) -> AsyncIterator[GatewayNews]:
        assert types == EVENTS
        self.asked.append(since)
        for count, event in enumerate(sorted(self._events, key=lambda event: event.created, reverse=True)):
            if count == self._breaks_after:
                raise GatewayUnknownError("no answer")
            if event.created >= since:
                yield event


async def known(begin: Begin) -> list[tuple[str, str]]:
    async with begin() as db:
        rows = await db.execute(text("SELECT event_id, found_by FROM gateway_event ORDER BY event_id"))
        return [tuple(row) for row in rows]


async def test_what_was_delivered_is_not_stored_again(begin: Begin) -> None:
    async with begin() as db:
        assert await store(db, news(1), FoundBy.WEBHOOK)
        assert not await store(db, news(1), FoundBy.WEBHOOK)
    with clock.at(NOW):
        assert await poll(begin, Stripe(news(1), news(2, age=3))) == 1
    assert await known(begin) == [("evt_1", "webhook"), ("evt_2", "poll")]
    async with begin() as db:
        jobs = await db.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'refunds.read_event'"))
        assert jobs.scalar_one() == 2


async def test_the_next_poll_begins_where_the_last_one_ended(begin: Begin) -> None:
    with clock.at(NOW):
        gateway = Stripe(news(1, age=30))
        assert await poll(begin, gateway) == 1
        assert await poll(begin, gateway) == 0
    with clock.at(NOW + timedelta(days=20)):
        # The worker was away for weeks: nothing in between is passed over.
        await poll(begin, gateway)
    assert gateway.asked == [
        NOW - timedelta(hours=1) - OVERLAP,
        NOW - timedelta(minutes=30) - OVERLAP,
        NOW - timedelta(minutes=30) - OVERLAP,
    ]


async def test_a_poll_that_broke_off_is_done_again(begin: Begin) -> None:
    events = [news(number, age=number / 10) for number in range(250)]
    with clock.at(NOW):
        # Newest first, so that what is missing is older than what was stored.
        assert await poll(begin, Stripe(*events, breaks_after=200)) == 200
        assert await poll(begin, Stripe(*events)) == 50
    assert len(await known(begin)) == 250


@pytest.mark.parametrize("error", [GatewayUnknownError, GatewayBusyError])
async def test_without_an_answer_nothing_is_lost(begin: Begin, error: type[Exception]) -> None:
    class Silent(Stripe):
        async def list_events(self, since: datetime, types: Sequence[str]) -> AsyncIterator[GatewayNews]:
            raise error(str((since, types)))
            yield news(1)

    with clock.at(NOW):
        assert await poll(begin, Silent()) == 0
        assert await poll(begin, Stripe(news(1))) == 1


async def test_bytes_are_forgotten_after_ninety_days_and_the_event_is_not(begin: Begin) -> None:
    async with begin() as db:
        with clock.at(NOW - KEPT - timedelta(minutes=1)):
            await store(db, news(1), FoundBy.WEBHOOK)
        with clock.at(NOW - KEPT + timedelta(minutes=1)):
            await store(db, news(2), FoundBy.WEBHOOK)
    with clock.at(NOW):
        await forget_bodies(begin)
    async with begin() as db:
        rows = await db.execute(text("SELECT event_id, body IS NULL FROM gateway_event ORDER BY event_id"))
        assert [tuple(row) for row in rows] == [("evt_1", True), ("evt_2", False)]
        # It is known all the same: the same event is not taken in anew.
        assert not await store(db, news(1), FoundBy.POLL)
