"""Trials through thousands of random steps: decisions, scans, parcels, days, cards and a gateway that fails.

`MODEL_ROUNDS` asks for more of them, each from another beginning; the first is always the same.

Whatever happens in whatever order: what is paid is the price of what is kept, once; never for what the warehouse has;
never more is held than was shown; and whatever stands open comes to its end.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.db import run
from returns_portal.errors import DomainError
from returns_portal.finance.books import check_trials
from returns_portal.jobs import defer
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.mailer import Mailer
from returns_portal.refunds import actions
from returns_portal.refunds import deciding as claims
from returns_portal.tryon import (
    authorising,
    calling_off,
    deciding,
    ending,
    placing,
    renewing,
    settling,
    shipping,
    sweeping,
)
from returns_portal.tryon.models import Decision, Mode, TrialStatus
from returns_portal.tryon.ordering import TrialInput, Wanted
from returns_portal.tryon.queries import TrialView, trial_for
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.model.test_machine import Afresh
from tests.model.world import Worlds, worlds
from tests.points.purse import give
from tests.portal import API, FINANCE
from tests.tryon.oracle import FINAL, Watched
from tests.tryon.samples import ADDRESS, TERMS

BEGINS = datetime(2090, 3, 20, 9, tzinfo=UTC)
EXAMPLES = 60
STEPS = 22
ROUNDS = int(os.environ.get("MODEL_ROUNDS", "1"))
T = TrialStatus
VISA, LATER_REFUSED, REFUSED = "pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_chargeDeclined"
ASKS, ASKS_ONCE = "pm_card_authenticationRequired", "pm_card_authenticationRequiredOnSetup"
CARDS = (VISA, VISA, VISA, LATER_REFUSED, REFUSED, ASKS, ASKS_ONCE)
PRICES = (18_900, 4_990, 51)
assert AVAILABLE_PROVIDERS["afresh"] is Afresh


class Trials(RuleBasedStateMachine):
    """One trial for each example, and everybody who can do something with it."""

    worlds: ClassVar[Worlds]
    reached: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.world = self.worlds.world()
        # One clock for both: holds end by the gateway's.
        self.world.now = datetime.fromtimestamp(self.world.sandbox.control("clock", advance=1)["now"], UTC)
        self.worlds.examples += 1
        self.email = f"t{self.worlds.examples}@example.com"
        self.trial: TrialView | None = None
        self.watched: Watched | None = None
        self.parcels = 0
        self.whole = False
        self.letters_arrive = True

    # What everybody does it by.

    def do(self, action: Any) -> Any:  # noqa: ANN401 - a function of a transaction, and what it answers
        """Do something in a transaction, or be refused for a reason; nothing else may come of it."""

        async def tried() -> object:
            try:
                async with self.world.begin() as db:
                    return await action(db)
            except DomainError as error:
                self.reached[f"refused: {error.code}"] += 1
                return None

        self.world.now += timedelta(seconds=1)
        return self.world.do(tried())

    @property
    def now(self) -> TrialView:
        assert self.trial is not None
        number = self.trial.number

        async def view() -> TrialView:
            async with self.world.begin() as db:
                return await trial_for(db, API, number)

        self.trial = self.world.do(view())
        return self.trial

    # The customer, at checkout.

    @initialize(
        prices=st.lists(st.sampled_from(PRICES), min_size=1, max_size=4),
        days=st.sampled_from([3, 3, 3, 21]),
        card=st.sampled_from([*CARDS, VISA, VISA, VISA, VISA, None]),
        mode=st.sampled_from([*[Mode.TRIAL] * 8, Mode.PURCHASE]),
        points=st.sampled_from([0, 0, 0, 0, 5_000, 100_000]),
        percent=st.sampled_from([0, 0, 0, 20, 100]),
        silence=st.booleans(),
        goes_well=st.integers(0, 3),
    )
    def placed(self, prices: list[int], days: int, card: str | None, percent: int, points: int, **more: Any) -> None:  # noqa: ANN401 - drawn
        names = [f"m{self.worlds.examples}-{place}" for place in range(len(prices))]
        points = min(points, sum(prices))

        async def place(db: Any) -> TrialView:  # noqa: ANN401 - a transaction
            await run(db, "DELETE FROM procrastinate_jobs")
            await run(
                db,
                "UPDATE trial_policy SET deposit_percent = :percent, silence_keeps = :silence, max_value = 10000000",
                percent=percent,
                silence=more["silence"],
            )
            variants = [
                VariantInput(sku=sku, size=str(40 + place), color="", price=price, currency="EUR", stock=5)
                for place, (sku, price) in enumerate(zip(names, prices, strict=True))
            ]
            await put_product(
                db, API, ProductInput(handle=names[0], title="Boot", kind=ProductKind.SHOE, variants=variants)
            )
            wanted = TrialInput(
                email=self.email,
                name="Maria",
                shipping_address=ADDRESS,
                items=[Wanted(sku) for sku in names],
                payment_method=card,
                trial_days=days,
                mode=more["mode"],
                points=points,
                terms=TERMS,
                silence_keeps=True,
            )
            return await placing.place(db, API, self.world.settings, wanted)

        self.world.now += timedelta(seconds=1)
        if points:
            self.world.do(give(self.world, points, email=self.email))
        self.trial = self.do(place)
        assert self.trial is not None
        self.watched = Watched(self.trial)
        self.whole = True
        self.work()
        if more["goes_well"]:
            self.is_delivered()

    @rule(card=st.sampled_from([*CARDS, None]))
    def gives_a_card(self, card: str | None) -> None:
        number = self.now.number
        self.do(lambda db: authorising.card_given(db, API, number, card))

    @rule(succeeds=st.booleans(), card=st.sampled_from(CARDS))
    def answers_the_bank(self, card: str, *, succeeds: bool) -> None:
        waits = authorising.awaited(self.now)
        if waits is None:
            return
        kind = "setup_intents" if waits.kind == "setup" else "payment_intents"
        if waits.reference is not None and waits.attempts:
            self.world.sandbox.http.post(
                f"/_sandbox/{kind}/{waits.reference}/authenticate", json={"succeeds": succeeds}
            )
        else:
            self._in_the_browser(waits, kind, card)

    def _in_the_browser(self, waits: Any, kind: str, card: str) -> None:  # noqa: ANN401 - a charge
        async def secret() -> str | None:
            try:
                return await authorising.client_secret(self.world.begin, self.world.gateway, waits)
            except Exception as error:  # noqa: BLE001 - the gateway fails as it was told to
                self.reached[f"browser: {type(error).__name__}"] += 1
                return None

        made = self.world.do(secret())
        if made:
            intent = made.partition("_secret_")[0]
            self.world.sandbox.send("POST", f"/v1/{kind}/{intent}/confirm", f"payment_method={card}")

    @rule(really=st.integers(0, 20))
    def calls_it_off(self, really: int) -> None:
        if really:
            return
        number = self.now.number
        self.do(lambda db: calling_off.cancel(db, API, number))

    # The shop, the carrier, the warehouse.

    @rule()
    @precondition(lambda self: self.trial and self.trial.shipped_at is None)
    def is_packed(self) -> None:
        number = self.now.number
        self.do(lambda db: shipping.pack(db, API, number))

    @rule()
    @precondition(lambda self: self.trial and self.trial.shipped_at)
    def one_more_parcel_follows(self) -> None:
        number = self.now.number
        self.do(lambda db: shipping.ship(db, API, number, tracking="second"))

    @rule()
    @precondition(lambda self: self.trial and self.trial.shipped_at is None)
    def is_shipped(self) -> None:
        number = self.now.number
        self.do(lambda db: shipping.ship(db, API, number))

    @rule()
    @precondition(lambda self: self.trial and self.trial.delivered_at is None)
    def is_delivered(self) -> None:
        number = self.now.number
        self.do(lambda db: shipping.ship(db, API, number))
        number = self.now.number
        self.do(lambda db: shipping.deliver(db, API, number, self.world.now))

    @rule()
    def is_scanned_on_its_way_back(self) -> None:
        trial = self.now
        if trial.shipped_at is not None and self.watched is not None:
            self.do(lambda db: shipping.scanned(db, API, trial.number, self.world.now))
            self.watched.scanned_at = self.world.now

    @rule(places=st.sets(st.integers(0, 3), min_size=1), damaged=st.sampled_from([False, False, False, True]))
    def comes_back(self, places: set[int], *, damaged: bool) -> None:
        trial = self.now
        found = [item for item in trial.items if item.position in places and not item.received]
        if trial.shipped_at is None or not found or not trial.rma or self.watched is None:
            return
        self.parcels += 1
        condition = Condition.DAMAGED if damaged else Condition.RESELLABLE
        counts = [Counted(item.order_line_id, 1, condition) for item in found]
        released = self.do(
            lambda db: actions.receive(db, API, self.world.settings, trial.rma or "", counts, number=self.parcels)
        )
        if released is not None:
            self.watched.arrived_at = self.world.now

    @rule(accept=st.booleans())
    def is_judged(self, *, accept: bool) -> None:
        async def judge(db: Any) -> None:  # noqa: ANN401 - a transaction
            rows = await run(
                db,
                "SELECT i.id FROM parcel_item i JOIN order_line l ON l.id = i.order_line_id WHERE l.order_id = :id"
                " AND i.acceptance = 'waiting'",
                id=self.now_id,
            )
            for row in rows:
                decision: claims.Decision = "accept" if accept else "send_back"
                await claims.decide(db, FINANCE, self.world.settings, row.id, decision, reason="looked at")

        self.now_id = self.now.order_id
        self.do(judge)

    # The customer, at home.

    @rule(places=st.sets(st.integers(0, 3), min_size=1), said=st.sampled_from(["keep", "keep", "return", "problem"]))
    def decides(self, places: set[int], said: str) -> None:
        trial = self.now
        wanted = {item.id: Decision(said) for item in trial.items if item.position in places}
        if wanted:
            self.do(lambda db: deciding.decide(db, API, trial.number, wanted))

    @rule()
    @precondition(lambda self: self.trial and self.trial.delivered_at and not self.trial.extended_days)
    def wants_more_time(self) -> None:
        number = self.now.number
        self.do(lambda db: deciding.extend(db, API, number))

    # Staff.

    @rule()
    @precondition(lambda self: self.trial and self.trial.delivered_at and not self.trial.settling_at)
    def is_settled_by_staff(self) -> None:
        number = self.now.number
        self.do(lambda db: settling.begin(db, API, number, now_by_staff=True))

    @rule()
    def is_tried_again(self) -> None:
        trial = self.now
        if trial.status in {T.PAYMENT_ACTION_NEEDED, T.OVERDUE}:
            self.do(lambda db: settling.retry(db, FINANCE, trial.number))

    @rule(arrive=st.sampled_from([True, True, True, False]))
    def letters(self, *, arrive: bool) -> None:
        """From now on e-mails reach the customer, or none does."""
        self.letters_arrive = arrive

    # The gateway, and time.

    @rule(card=st.sampled_from([REFUSED, VISA, ASKS, None]))
    def the_card_on_file_is_another_by_now(self, card: str | None) -> None:
        """It has expired, was reported stolen, works again, or its bank wants to be asked; or nobody has any."""
        trial = self.now

        async def change(db: Any) -> None:  # noqa: ANN401 - a transaction
            await run(db, "UPDATE trial SET payment_method = :card WHERE id = :id", card=card, id=trial.id)

        if trial.authorised_at is not None:
            self.do(change)

    @rule(
        kind=st.sampled_from(["drop", "error", "rate_limit", "conflict"]),
        times=st.integers(1, 4),
        acts=st.booleans(),
    )
    def the_gateway_fails(self, kind: str, times: int, *, acts: bool) -> None:
        self.world.sandbox.control("faults", kind=kind, method="POST", path="/v1/", times=times, acts=acts)

    @rule(card=st.sampled_from([REFUSED, VISA]))
    def the_hold_ends_by_itself(self, card: str) -> None:
        trial = self.now
        holds = [charge for charge in trial.charges if charge.kind == "hold" and charge.status == "held"]
        for hold in holds:
            self.the_card_on_file_is_another_by_now(card)
            self.world.sandbox.http.post(f"/_sandbox/payment_intents/{hold.reference}/expire", json={})
            self.do(lambda db, hold=hold: defer(db, "tryon.refresh", charge_id=str(hold.id)))

    @rule()
    def the_gateway_forgets_keys(self) -> None:
        self.world.sandbox.control("keys/forget", older_than_hours=0)

    @rule()
    def work(self) -> None:
        self.world.now += timedelta(seconds=1)
        self.world.do(self.world.work())

    @rule(hours=st.sampled_from([1, 13, 25, 49, 100, 200]))
    def time_passes(self, hours: int) -> None:
        for begun in range(0, hours, 24):
            self._a_day(min(hours - begun, 24))

    def _a_day(self, hours: int = 24) -> None:
        self.world.now += timedelta(hours=hours)
        self.world.sandbox.control("clock", advance=hours * 3600)
        # What was answered under a key is kept for a day; a failure as well.
        self.world.sandbox.control("keys/forget", older_than_hours=24)

        async def calendar() -> None:
            await ending.end_trials(self.world.begin)
            if not self.letters_arrive:
                async with self.world.begin() as db:
                    await run(db, "UPDATE email SET status = 'failed' WHERE status IN ('queued', 'sending')")
            await deliver_due(self.world.begin, self.world.context.service(Mailer))
            await renewing.renew_holds(self.world.begin)
            await sweeping.sweep(self.world.begin)
            async with self.world.begin() as db:
                due = await run(
                    db,
                    "SELECT id FROM procrastinate_jobs WHERE status = 'todo'"
                    " AND coalesce(scheduled_at, '-infinity') <= :at",
                    at=self.world.now,
                )
            if due:
                await self.world.work()

        self.world.do(calendar())

    @invariant()
    def all_is_well(self) -> None:
        if self.trial is None or self.watched is None:
            return
        trial = self.now
        self.reached[trial.status] += 1
        self.reached.update(f"charge {charge.kind} {charge.status}" for charge in trial.charges)
        self.watched.look(self.world.sandbox, trial, self.world.now)

    # How it ends.

    def teardown(self) -> None:
        if not self.whole:
            self.worlds.renew()
            return
        try:
            self._ends()
        except BaseException:
            self.worlds.renew()
            raise

    def _ends(self) -> None:
        """The gateway works, the customer has a good card in the end, finance does its work: nothing stays open."""
        self.world.sandbox.http.delete("/_sandbox/faults")
        self.work()
        for _ in range(40):
            trial = self.now
            if trial.status in FINAL:
                break
            self.is_judged(accept=True)
            self._ends_somehow(trial)
            for _ in range(3):
                self._a_day()
            self.all_is_well()
        self.is_judged(accept=True)
        self._a_day()
        self._a_day()
        self.all_is_well()
        trial = self.now
        assert trial.status in FINAL, (trial.status, trial.charges)
        assert self.watched is not None
        self.watched.ended(self.world.sandbox, trial)
        self.world.do(self.world.books_and_gateway())
        assert self.world.do(check_trials(self.world.begin, self.world.gateway)) == []

    def _ends_somehow(self, trial: TrialView) -> None:
        """What a person would do."""
        if trial.status in {T.AUTHORISED, T.PACKED}:
            self.is_delivered()
        elif trial.status == T.PAYMENT_ACTION_NEEDED:
            self.gives_a_card(VISA)
        elif trial.status == T.OVERDUE:
            self.do(lambda db: settling.retry(db, FINANCE, trial.number))
            self.work()
            self.do(lambda db: settling.write_off(db, FINANCE, trial.number, "lost"))


@pytest.fixture(scope="module")
def shops(server_url: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worlds]:
    with worlds(server_url, template_database, tmp_path_factory.mktemp("trials"), BEGINS) as made:
        yield made


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_whatever_happens_what_is_paid_is_what_is_kept(shops: Worlds, round_: int) -> None:
    Trials.worlds, Trials.reached = shops, Counter()
    run_state_machine_as_test(
        Trials,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            backend="afresh",
            derandomize=round_ == 0,
            database=None,
            deadline=None,
            phases=(Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            print_blob=round_ > 0,
        ),
    )
    rare = {T.PAYMENT_ACTION_NEEDED}  # Chance may pass it by; below, it is walked to.
    assert round_ or all(Trials.reached[status] for status in set(TrialStatus) - rare), Trials.reached


def test_what_was_begun_with_the_first_card_pays_for_a_purchase_when_its_bank_agrees_late(shops: Worlds) -> None:
    Trials.worlds, Trials.reached = shops, Counter()
    told = Trials()
    told.placed(
        card="pm_card_authenticationRequired",
        mode=Mode.PURCHASE,
        points=0,
        days=21,
        prices=[51, 51, 4990, 18900],
        goes_well=1,
        percent=100,
        silence=False,
    )
    told.answers_the_bank(card=VISA, succeeds=True)
    told.gives_a_card(card="pm_card_chargeCustomerFail")
    told.time_passes(hours=13)
    told.all_is_well()
    captured = [charge.captured for charge in told.now.charges if charge.status == "captured"]
    assert captured == [23_992] == [told.now.charged]
    told.teardown()


def test_a_bank_that_wants_to_be_asked_again_at_settlement_is_asked(shops: Worlds) -> None:
    Trials.worlds, Trials.reached = shops, Counter()
    told = Trials()
    told.placed(
        card=ASKS, mode=Mode.TRIAL, points=0, days=21, prices=[4990, 18900], goes_well=0, percent=0, silence=True
    )
    told.answers_the_bank(card=ASKS, succeeds=True)
    told.time_passes(hours=13)
    told.is_delivered()
    told.decides(places={0, 1}, said="keep")
    told.is_settled_by_staff()
    told.work()
    told.all_is_well()
    assert told.now.status == T.PAYMENT_ACTION_NEEDED
    told.gives_a_card(card=None)
    told.answers_the_bank(card=VISA, succeeds=True)
    told.time_passes(hours=25)
    told.all_is_well()
    assert (told.now.charged, told.now.status) == (23_890, T.SETTLED)
    told.teardown()


def test_a_deposit_is_paid_once_where_the_first_bank_agreed_before_another_card_was_given(shops: Worlds) -> None:
    Trials.worlds, Trials.reached = shops, Counter()
    told = Trials()
    told.placed(
        card=ASKS_ONCE, mode=Mode.TRIAL, points=0, days=3, prices=[18900], goes_well=0, percent=100, silence=True
    )
    told.answers_the_bank(card=VISA, succeeds=True)
    told.gives_a_card(card=VISA)
    told.work()
    told.all_is_well()
    assert [charge.captured for charge in told.now.charges if charge.status == "captured"] == [18_900]
    assert told.now.status == T.AUTHORISED
    told.teardown()
