"""Where processes are killed: a portal and a sandbox of their own, and what the sandbox itself says was done."""

import asyncio
import multiprocessing
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from multiprocessing.context import ForkServerContext
from typing import Any, Final, TypeVar

import msgspec

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.finance.books import check, check_gateway
from returns_portal.jobs import defer_many, registry
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.filing import FiledReturn
from returns_portal.settings import Settings
from tests.faults.points import KILLED
from tests.faults.worker import Call, Task, Told, go_on, queue_of
from tests.faults.worker import run as run_task
from tests.portal import Portal
from tests.sandboxes import SandboxProcess

Story = TypeVar("Story")

_SECONDS: Final = 60
_ROUNDS: Final = 6
_AGAIN: Final = 4
"""So often a story is told once more because it passed fewer points than one before."""
_LEFT: Final = "SELECT id, task_name, status FROM procrastinate_jobs"
# As if so much time had gone by that nobody can take a dead worker for a living one, and what waits is due.
_LATER: Final = (
    "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'",
    "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo' AND scheduled_at > now()",
)
_NEXT: Final = "SELECT id, task_name, args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id LIMIT 1"


def forks() -> ForkServerContext:
    """Starts processes as forks of one that has everything loaded, and nothing running."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.worker", "tests.faults.warm"])
    return context


class Ground(Portal):
    """A portal whose workers are processes that may be killed."""

    def __init__(
        self, begin: Begin, settings: Settings, gateway: StripeGateway, url: str, sandbox: SandboxProcess
    ) -> None:
        super().__init__(begin, settings, gateway, url)
        self.sandbox = sandbox
        self.url = url
        self._forks = forks()

    async def here(self) -> None:
        """Do what is in the queue in this process, without its queue: the way to where a story begins."""
        while True:
            async with self.begin() as db:
                rows = await run(db, _NEXT)
            if not rows:
                return
            # A worker of an earlier story may have put a job of the calendar in, which says when it was due.
            ids = {name: value for name, value in rows[0].args.items() if name != "timestamp"}
            await registry[rows[0].task_name].handler(self.context, **ids)
            async with self.begin() as db:
                await run(db, "DELETE FROM procrastinate_jobs WHERE id = :id", id=rows[0].id)

    async def ask_for(self, job: str, **ids: str) -> None:
        async with self.begin() as db:
            await defer_many(db, job, [ids])

    async def process(self, *, kill_at: int = 0, call: Call | None = None) -> Told:
        """A process that works (or answers a call) until it is done or killed; what it told last."""
        settings = self.settings.model_dump(exclude_none=True)
        task = Task(self.url, settings, kill_at, call)
        mine, its = self._forks.Pipe(duplex=False)
        process = self._forks.Process(target=run_task, args=(task, its))
        process.start()
        its.close()
        try:
            told = await asyncio.to_thread(self._told, mine)
            await asyncio.to_thread(process.join, _SECONDS)
            assert process.exitcode == (KILLED if told.point else 0), (process.exitcode, told)
        finally:
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
            mine.close()
        return told

    @staticmethod
    def _told(pipe: Any) -> Told:  # noqa: ANN401 - a connection
        assert pipe.poll(_SECONDS), "the process says nothing"
        try:
            told: Told = pipe.recv()
        except EOFError:
            raise AssertionError("the process ended without a word") from None
        return told

    async def killed_everywhere(
        self,
        arrange: Callable[[str], Awaitable[Story]],
        prove: Callable[[Story], Awaitable[None]],
        *,
        call: Callable[[Story], Call] | None = None,
        ahead: timedelta = timedelta(),
        meanwhile: Callable[[], Awaitable[None]] | None = None,
    ) -> Counter[str]:
        """Tell the same story once for every point, with a worker that is killed there, and another that goes on.

        The last time the process passes all points, and nothing is left to be done.

        Args:
            arrange: begins a story of this name, up to where there is something in the queue.
            prove: looks at how it ended.
            call: the request that is made again where its process was killed, before any job.
            ahead: by how much the clock of whoever goes on runs ahead.
            meanwhile: what happens between the one and the other.

        Returns:
            The points at which processes were killed.
        """
        killed: Counter[str] = Counter()
        for telling in count(1):
            point = killed.total() + 1
            assert telling - point < _AGAIN, f"each time other points are passed, after {dict(killed)}"
            story = await arrange(f"{telling}")
            made = call(story) if call else None
            told = await self.process(kill_at=point, call=made)
            if meanwhile is not None:
                await meanwhile()
            try:
                await self._go_on(made if told.point else None, ahead)
                await prove(story)
            except AssertionError as error:
                error.add_note(f"Killed at point {point}: {told.point or 'none'}, after {dict(killed)}.")
                raise
            if told.point:
                killed[told.point] += 1
            elif told.points == killed.total():
                return killed
            # Else a job that came due meanwhile had added points to an earlier telling: it is told once more.
        raise AssertionError

    async def _go_on(self, call: Call | None, ahead: timedelta) -> None:
        """The call is made again, and normal workers do what is left, until nothing is."""
        if call is not None:
            assert not (await self.process(call=call)).point
        for _ in range(_ROUNDS):
            async with self.begin() as db:
                for statement in _LATER:
                    await run(db, statement)
                left = await run(db, _LEFT)
            if not left:
                return
            with clock.shifted(ahead):
                await go_on(queue_of(self.url, self.context))
        raise AssertionError(f"left in the queue: {left}")

    async def until_settled(self, filed: FiledReturn) -> None:
        """Wait until the refunds of a return have come to their end."""
        async with asyncio.timeout(_SECONDS):
            while set(await self.statuses(filed)) != {"succeeded"}:  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(0.1)

    # What the sandbox itself says.

    async def reference(self, number: str) -> str:
        """Stripe's id of an order's card payment."""
        [row] = await self.rows(
            "SELECT p.reference FROM payment p JOIN orders o ON o.id = p.order_id WHERE o.number = :n"
            " AND p.tender = 'stripe'",
            n=number,
        )
        return str(row.reference)

    def refunds_at_gateway(self, payment: str) -> list[dict[str, Any]]:
        """The refunds of a payment, the oldest first."""
        status, page, _ = self.sandbox.send("GET", "/v1/refunds", f"payment_intent={payment}&limit=100")
        assert status == 200, page
        return list(reversed(page["data"]))

    def payments_at_gateway(self, payment_id: object) -> list[dict[str, Any]]:
        """The payments that were made for a row of ours, among the newest."""
        status, page, _ = self.sandbox.send("GET", "/v1/payment_intents", "limit=20")
        assert status == 200, page
        return [payment for payment in page["data"] if payment["metadata"].get("payment_id") == str(payment_id)]

    async def prove_books(self) -> None:
        """All invariants, and our refunds beside all of the gateway's."""
        breaches = await check(self.begin) + await check_gateway(self.begin, self.context.service(StripeGateway))
        assert not breaches, msgspec.json.format(msgspec.json.encode(breaches), indent=1).decode()
