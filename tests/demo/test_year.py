"""The demo shop's year, as it was lived beside how it was planned."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from returns_portal import clock, demo, history
from returns_portal.actor import SYSTEM
from returns_portal.claims.models import Kind
from returns_portal.db import Begin
from returns_portal.demo import asking, goods, year
from returns_portal.demo.plan import planned
from returns_portal.demo.sales import BOOT, SHIRT, parcel_of
from returns_portal.demo.words import REASONS
from returns_portal.finance.books import check
from returns_portal.ids import new_id
from returns_portal.insights.fitting import measure_all
from returns_portal.insights.reading import themes
from returns_portal.jobs import JobContext, registry
from returns_portal.loyalty.queries import programme, standings
from returns_portal.notifications.mailer import Mailer
from returns_portal.service.measuring import cases_between, measured
from returns_portal.settings import Settings
from returns_portal.worker import JOB_MODULES
from tests.catalog.test_actions import rows

pytestmark = pytest.mark.anyio

assert JOB_MODULES  # Imported for the handlers that it registers.
LATER = datetime(2027, 11, 23, 21, 30, tzinfo=UTC)
_SWEEPS = ("poll", "sweep", "sweep_disputes")
_RETURNS = """
    SELECT r.status, count(*) FROM returns r JOIN orders o ON o.id = r.order_id WHERE length(o.number) = 3 GROUP BY 1
"""
_LABELS = """
    SELECT b.status, count(*) FROM label b JOIN returns r ON r.id = b.return_id JOIN orders o ON o.id = r.order_id
    WHERE length(o.number) = 3 GROUP BY 1
"""
_REFUNDS = """
    SELECT CAST((f.destination, f.status) AS text), count(*) FROM refund f JOIN orders o ON o.id = f.order_id
    WHERE length(o.number) = 3 GROUP BY 1
"""


class CrashError(Exception):
    """The power goes."""


async def count(begin: Begin, query: str) -> dict[Any, int]:
    """How many there are, by the first column."""
    return {row[0]: row.count for row in await rows(begin, query)}


async def test_after_a_crash_what_is_missing_is_lived_and_nothing_is_left_to_do(
    begin: Begin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Counter[str]()

    def crashing(name: str, after: int) -> None:
        real = getattr(year, name)

        async def act(*arguments: Any) -> None:  # noqa: ANN401 - whatever it takes
            done[name] += 1
            if done[name] == after:
                raise CrashError
            await real(*arguments)

        monkeypatch.setattr(year, name, act)

    crashing("_take_back", 60)
    crashing("submit", 50)
    crashing("confirm_transfer", 3)
    for day in range(3):
        with clock.at(LATER + timedelta(hours=20 * day)), pytest.raises(CrashError):
            await demo._load_orders(begin, settings)
    with clock.at(LATER + timedelta(days=3)):
        # The process that loads the demo has not read the key.
        await demo._load_orders(begin, settings.model_copy(update={"secret_key": None}))
        # By now the worker does what has its time.
        await _let_time_pass(begin, settings)
        assert not await check(begin)
    await _is_as_planned(begin)


async def _let_time_pass(begin: Begin, settings: Settings) -> None:
    """Run what runs by the clock and asks no provider."""
    context = JobContext(begin, settings, Mailer(settings))
    asks_stripe = {
        "finance.reconcile",
        "payments.poll_events",
        "refunds.poll",
        "refunds.sweep",
        "refunds.sweep_disputes",
    }
    for name, known in registry.items():
        if known.cron and name not in asks_stripe:
            await known.handler(context)


async def _is_as_planned(begin: Begin) -> None:
    plan = planned()
    orders, claims = plan.orders, [order.claim for order in plan.orders if order.claim]
    back = sum(order.back is not None for order in orders)
    paid = sum(not claim.refused for claim in claims)
    # Those of the file have four digits.
    assert await count(begin, "SELECT length(number), count(*) FROM orders GROUP BY 1") == {3: len(orders), 4: 120}
    of_file = await rows(begin, "SELECT number FROM orders WHERE length(number) = 4 AND shipped_at IS NOT NULL")
    assert await count(begin, "SELECT carrier, count(*) FROM outbound_parcel GROUP BY 1") == Counter(
        [*(order.carrier for order in orders), *(parcel_of(order.number)[0] for order in of_file)]
    )
    assert await count(begin, _RETURNS) == {"received": back}
    assert await count(begin, _LABELS) == {"delivered": back}
    assert await count(begin, _REFUNDS) == {"(points,succeeded)": back, "(transfer,succeeded)": paid}
    assert await count(begin, "SELECT kind, count(*) FROM item_claim GROUP BY 1") == Counter(
        claim.kind.value for claim in claims
    )
    assert not await rows(begin, "SELECT id FROM item_claim WHERE closed_at IS NULL")
    waiting = await rows(begin, "SELECT id FROM question WHERE state = 'waiting'")
    assert len(waiting) == sum(question.answered is None for question in plan.questions) == 3
    assert await count(begin, "SELECT topic, count(*) FROM question GROUP BY 1") == Counter(
        question.topic.value if question.answered else None for question in plan.questions
    )
    late = "SELECT r.rma FROM returns r JOIN refund f ON f.return_id = r.id WHERE f.settled_at > r.refund_deadline"
    assert not await rows(begin, late)
    assert not await rows(begin, "SELECT id FROM email WHERE created_at < sent_at - interval '2 days'")


async def test_customers_are_told_what_runs_small_and_staff_how_fast_they_are(
    begin: Begin, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing pictures takes a while.
    monkeypatch.setattr(goods, "_SHAPES", {})
    with clock.at(LATER):
        await demo._load_orders(begin, settings)
        await goods.stock(begin)
        for _twice in range(2):
            await asking.look_around(begin, settings)
        await measure_all(begin)
    fits = await rows(begin, "SELECT p.handle, f.verdict FROM product_fit f JOIN product p ON p.id = f.product_id")
    clear = {row.handle: row.verdict for row in fits if row.verdict in {"small", "large"}}
    assert clear == {BOOT: "small", SHIRT: "large"}
    async with begin() as db:
        cases = await cases_between(db, SYSTEM, LATER - timedelta(days=366), LATER)
    plan = planned()
    assert len(cases) == measured(cases).asked == len(plan.questions)
    assert measured(cases).unanswered == 3
    # The month that is shown first has something to show, and nobody answers at night.
    assert sum(case.opened_at > LATER - timedelta(days=30) for case in cases) > 10
    service = demo.HOURS.schedule("written", "Europe/Sofia")
    assert all(service.is_open(case.first_reply_at) for case in cases if case.first_reply_at)
    assert all(case.closed_at < LATER for case in cases if case.closed_at)
    sought = await rows(begin, "SELECT state, count(*) FROM product_request GROUP BY 1")
    assert sum(row.count for row in sought) == len(plan.sought)
    assert {row.state: row.count for row in sought}["open"] == 2
    assert {row.state for row in sought} == {"open", "coming", "elsewhere"}
    assert (await rows(begin, "SELECT count(*) FROM product_request WHERE wish = 'waiting'"))[0].count > 5
    assert (await rows(begin, "SELECT count(came_back_order_id) FROM product_request"))[0].count >= 9
    followed = "SELECT shown <> 'product', count(followed_at) FROM referral GROUP BY 1"
    assert min((await count(begin, followed)).values()) > 8
    assert not await rows(begin, "SELECT id FROM email WHERE status = 'queued' AND template LIKE 'request_%'")
    async with begin() as db:
        with clock.at(LATER):
            stand = await standings(db, await programme(db), list({order.buyer.email for order in plan.orders}))
    [told] = await rows(begin, "SELECT data FROM history WHERE subject = 'loyalty_programme'")
    # The report tells a month's budget by what was set, in its currency.
    assert (told.data["budget"], told.data["currency"]) == (150_00, "EUR")
    levels = Counter(each.level for each in stand.values())
    # Most are on none, and of those who are, most on the first.
    assert levels[0] > levels[1] > levels[2] > 4


def test_the_year_is_loaded_with_the_key_that_is_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "secret_key", lambda home: f"kept in {home}")
    monkeypatch.setattr(demo, "home_for", lambda _settings: "the home")
    unread = settings.model_copy(update={"secret_key": None})
    assert demo._with_key(unread).signing_keys == (b"kept in the home",)
    assert demo._with_key(settings) is settings


async def test_a_demo_of_an_earlier_version_stays_as_it_is(begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        await history.record(db, SYSTEM, ("shop", new_id(), "demo_loaded", {}))
    await asking.look_around(begin, settings)
    assert not await rows(begin, "SELECT id FROM elsewhere")


def test_the_year_has_something_to_tell() -> None:
    plan = planned()
    assert len(plan.orders) == 500
    assert len({order.buyer.email for order in plan.orders}) < 250
    assert {order.buyer.country.locale for order in plan.orders} == {"bg", "de", "en", "ru", "uk"}
    assert {claim.kind for order in plan.orders if (claim := order.claim)} == {Kind.DAMAGED, Kind.MISSING}
    assert all(themes(words) == {theme} for theme, said in REASONS.items() for words in said.values())
    shoes = [order for order in plan.orders if order.lines[0][0].handle in {BOOT, "derby-oxford-leather"}]
    assert 0.25 < sum(order.back is not None for order in shoes) / len(shoes) < 0.6
