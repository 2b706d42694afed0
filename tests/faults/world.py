"""A small shop on a bad day: one order, the people and systems that handle it at once, and faults; all by a seed."""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from returns_portal import clock
from returns_portal.actor import Actor as Person
from returns_portal.db import run
from returns_portal.errors import DomainError
from returns_portal.jobs import registry
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.gateway import GatewayError
from returns_portal.payments.inbox import store
from returns_portal.payments.models import FoundBy, Tender
from returns_portal.refunds import actions, approvals, deciding, failed, filing, settling
from returns_portal.refunds.disputed import ChangingError
from returns_portal.refunds.goodwill import Gesture, give
from returns_portal.refunds.outside import UnderWayError
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.faults.elsewhere import Elsewhere, news_of
from tests.faults.place import Change
from tests.faults.scheduler import Actor
from tests.portal import API, FINANCE

SUPPORT: Final = Person(kind="staff", id="ana", grants=frozenset({"support"}))
NOT_NOW: Final = (DomainError, GatewayError, UnderWayError, ChangingError)
"""After these a job is tried again; anything else is a fault of the portal's own."""

_ROUNDS: Final = 6
_STUCK: Final = frozenset({"failed", "awaiting_transfer"})
"""What people find another way for."""
_OPEN: Final = frozenset({"submitting", "unknown", "pending"})
"""What nobody may be left with."""

Doing = Callable[[], Awaitable[None]]

_PAID: Final = {
    "card": [(Tender.STRIPE, 32_290)],
    "split": [(Tender.STRIPE, 20_000), (Tender.POINTS, 12_290)],
    "transfer": [(Tender.STRIPE, 30_000), (Tender.EXTERNAL, 2_290)],
}
_DUE: Final = """
    SELECT id, task_name, args FROM procrastinate_jobs
    WHERE status = 'todo' AND coalesce(scheduled_at, '-infinity') <= :now ORDER BY id
"""
_TAKE: Final = """
    WITH due AS (
        SELECT id FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, '-infinity') <= :now
        ORDER BY id FOR UPDATE SKIP LOCKED),
    one AS (SELECT id FROM due ORDER BY id OFFSET :which % greatest((SELECT count(*) FROM due), 1) LIMIT 1)
    UPDATE procrastinate_jobs j SET status = 'doing' FROM one WHERE j.id = one.id RETURNING j.id, j.task_name, j.args
"""
_AS: Final = "UPDATE procrastinate_jobs SET status = CAST(:status AS procrastinate_job_status) WHERE id = :id"
_TAKE_OVER: Final = "UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'"
_GESTURES: Final = "SELECT id FROM goodwill WHERE order_id = :id AND decision = 'waiting' ORDER BY requested_at, id"
_REFUNDS: Final = "SELECT f.id, f.status, f.gateway_id FROM refund f WHERE f.order_id = :id ORDER BY f.created_at, f.id"
_PARCELS: Final = """
    SELECT p.id FROM parcel p JOIN returns r ON r.id = p.return_id WHERE r.order_id = :id ORDER BY p.checked_in_at, p.id
"""
_WAITING: Final = """
    SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id
    WHERE r.order_id = :id AND i.acceptance = 'waiting' AND p.undone_at IS NULL ORDER BY i.id
"""


class World(Elsewhere):
    """What can happen to one order."""

    async def begins(self) -> None:
        """The order, mostly with its payment made, a return filed, and a parcel on the dock."""
        tenders = [PaymentInput(tender=tender, amount=amount) for tender, amount in _PAID[self.pick(*_PAID)]]
        _, [self.line] = await self.ground.order(number=self.number, email=self.email, payments=tenders)
        async with self.begin() as db:
            [order] = await run(db, "SELECT id FROM orders WHERE number = :number", number=self.number)
        self.order_id = order.id
        if self.chance(0.8):
            await self.work(8)
        for _ in range(self.random.randint(1, 2)):
            await self.file()
        if self.chance(0.7):
            await self.receive()

    async def night(self) -> None:
        """Between two days the gateway is well, most is done, the bank sends some back, and that is looked after."""
        self.ground.sandbox.http.delete("/_sandbox/faults")
        await self.work(8)
        if self.chance(0.6):
            await self.comes_back()
            await self.events()
            await self.work(6)
        for _ in range(self.random.randint(0, 2)):
            await self.another_way()

    # The customer and the dock.

    async def file(self) -> None:
        to, units = self.pick(RefundTo.ORIGINAL, RefundTo.ORIGINAL, RefundTo.POINTS), self.random.randint(1, 2)
        wanted = [Wanted(self.line, units)]
        settings, account = self.ground.settings, "BG80BNBG96611020345678"
        filed = await self.allowed(
            lambda db: filing.file(db, API, settings, DEFAULT, self.number, wanted, to, bank_account=account)
        )
        if filed is not None:
            self.rmas.append(filed.rma)

    async def cancel(self) -> None:
        if self.rmas:
            rma = self.pick(*self.rmas)
            await self.allowed(lambda db: filing.cancel(db, API, rma))

    async def receive(self) -> None:
        if not self.rmas:
            return
        rma, counts, number = self.pick(*self.rmas), self._counts(), self.random.randint(1, 2)
        settings = self.ground.settings.model_copy(update={"refund_delay": self.pick(0, 0, 0, 60)})
        await self.allowed(lambda db: actions.receive(db, API, settings, rma, counts, number=number))

    def _counts(self) -> list[Counted]:
        condition = self.pick(Condition.RESELLABLE, Condition.WORN, Condition.RESELLABLE, Condition.DAMAGED)
        return [Counted(self.line, self.random.randint(1, 2), condition)]

    async def undo(self) -> None:
        parcel = await self.one_of(_PARCELS)
        if parcel:
            await self.allowed(lambda db: actions.undo(db, API, parcel.id))

    async def correct(self) -> None:
        parcel, counts = await self.one_of(_PARCELS), self._counts()
        if parcel:
            settings = self.ground.settings
            await self.allowed(lambda db: actions.correct(db, API, settings, parcel.id, counts, "counted again"))

    async def decide(self) -> None:
        item = await self.one_of(_WAITING)
        decision, part = self.pick("accept", "part", "send_back"), self.random.randint(1, 15_900)
        if item:
            settings = self.ground.settings
            await self.allowed(
                lambda db: deciding.decide(db, API, settings, item.id, decision, amount=part, reason="a stain")
            )

    # The staff.

    async def goodwill(self) -> None:
        wish = Gesture(
            order_number=self.number,
            reason="The parcel came late.",
            amount=self.random.randint(1, 9_000),
            shipping=self.chance(0.3),
        )
        await self.allowed(lambda db: give(db, SUPPORT, self.ground.settings, DEFAULT, wish))

    async def approve(self) -> None:
        gesture = await self.one_of(_GESTURES)
        if gesture:
            await self.allowed(lambda db: approvals.approve(db, FINANCE, self.ground.settings, gesture.id))

    async def another_way(self) -> None:
        """Somebody chooses a way for a refund that did not go through; or for another one, which must be refused."""
        async with self.begin() as db:
            refunds = await run(db, _REFUNDS, id=self.order_id)
        stuck = [refund for refund in refunds if refund.status in _STUCK]
        if not refunds:
            return
        refund = self.pick(*(stuck or refunds)) if self.chance(0.8) else self.pick(*refunds)
        customer = Person(kind="customer", id=str(self.order_id), order_id=self.order_id)
        ways: list[Change] = [
            lambda db: failed.try_again(db, FINANCE, refund.id),
            lambda db: failed.take_points(db, customer, refund.id, agreed=True),
            lambda db: failed.take_transfer(db, FINANCE, refund.id, "sealed"),
            lambda db: settling.confirm_transfer(db, FINANCE, refund.id, "T-1"),
        ]
        [way] = self.random.choices(ways, weights=(3, 1, 1, 1))
        await self.allowed(way)

    # The worker.

    async def work(self, jobs: int) -> None:
        """Do so many jobs that are due, one after the other; those of others may be taken for those of the dead."""
        for _ in range(jobs):
            if self.chance(0.5):
                async with self.begin() as db:
                    await run(db, _TAKE_OVER)
            await self._one_job()

    async def _one_job(self) -> None:
        async with self.begin() as db:
            due = await run(db, _TAKE, now=clock.now(), which=self.random.randint(0, 2))
        for job in due:
            await self._do(job)

    async def _do(self, job: Any) -> None:  # noqa: ANN401 - a row
        self.scheduler.story.append(f"[{job.task_name}]")
        try:
            await registry[job.task_name].handler(self.ground.context, **job.args)
        except NOT_NOW as error:
            self.scheduler.story.append(f"[{job.task_name}: {type(error).__name__}]")
            async with self.begin() as db:
                await run(db, _AS, id=job.id, status="todo")
        else:
            async with self.begin() as db:
                await run(db, "DELETE FROM procrastinate_jobs WHERE id = :id", id=job.id)

    async def poll(self) -> None:
        with contextlib.suppress(*NOT_NOW):
            await settling.poll(self.ground.context)

    # All together.

    def actors(self) -> list[tuple[Actor, Doing]]:
        """One to four, workers that may be killed among them, each with a few things to do."""
        people: dict[str, list[Doing]] = {
            "customer": [self.file, self.cancel, self.another_way],
            "dock": [self.receive, self.receive, self.undo, self.correct, self.decide],
            "support": [self.goodwill],
            "finance": [self.another_way, self.another_way, self.decide, self.approve],
            "bank": [self.dispute, self.comes_back],
            "dashboard": [self.in_the_dashboard],
            "gateway": [self.bad_day, self.events, self.events],
            "poll": [self.poll],
        }
        names = self.random.sample(sorted(people), self.random.randint(0, 3))
        chosen = [(Actor(name), self._things(people[name])) for name in names]
        for number in range(1 if len(names) == 3 else self.pick(1, 2, 2)):
            kill_in = self.random.randint(1, 60) if self.chance(0.4) else 0
            chosen.append((Actor(f"worker {number}", kill_in), self._worker(self.random.randint(2, 5))))
        return chosen

    def _things(self, doings: list[Doing]) -> Doing:
        chosen = [self.random.choice(doings) for _ in range(self.random.randint(1, 3))]

        async def do() -> None:
            for doing in chosen:
                self.scheduler.story.append(f"<{doing.__name__}>")
                await doing()

        return do

    def _worker(self, jobs: int) -> Doing:
        async def do() -> None:
            await self.work(jobs)

        return do

    async def ends(self) -> None:
        """The bad day is over: workers do what is left, also a day later, and the gateway is asked of everything.

        Raises:
            AssertionError: there is always something left.
        """
        self.ground.sandbox.http.delete("/_sandbox/faults")
        if self.reference and self.chance(0.5):
            self.tell_sandbox("keys/forget", older_than_hours=0)
        with clock.shifted(timedelta(minutes=10)):
            for _ in range(_ROUNDS):
                if await self._finished():
                    return
                # An error that was kept under a key is answered until the gateway forgets the key, a day later.
                self.tell_sandbox("keys/forget", older_than_hours=0)
        raise AssertionError("it never ends")

    async def _finished(self) -> bool:
        """Do everything once; whether nothing is left to be done."""
        payment = await self.find_reference()
        if payment:
            self._settle_pending(payment)
        async with self.begin() as db:
            await run(db, _TAKE_OVER)
            if payment:
                # One event of the payment, for all that were missed.
                await store(db, news_of("payment_intent", payment), FoundBy.POLL)
        while due := await self._due():
            for job in due:
                await self._do(job)
            if await self._due() == due:
                break
        await self.poll()
        async with self.begin() as db:
            refunds = await run(db, _REFUNDS, id=self.order_id)
        return bool(payment) and not await self._due() and not any(refund.status in _OPEN for refund in refunds)

    async def _due(self) -> list[Any]:
        async with self.begin() as db:
            return await run(db, _DUE, now=clock.now())

    def _settle_pending(self, payment: str) -> None:
        for refund in self.ground.refunds_at_gateway(payment):
            if refund["status"] in {"pending", "requires_action"}:
                self.tell_sandbox(f"refunds/{refund['id']}/settle", status=self.pick("succeeded", "failed"))
