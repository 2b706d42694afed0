"""A scheduler that lets one actor move at a time, so that a seed decides how several interleave on a real database.

An actor is a task. It stops before every statement, commit and request, and goes on when it is its turn. One that waits
for a row lock in the database is passed over until the lock is free, which the database itself is asked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final

import msgspec
import psycopg
import stripe
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import Begin

_PATIENCE: Final = 0.004
"""Seconds after which it is asked whether a statement waits for a lock."""
_BLOCKED: Final = "SELECT cardinality(pg_blocking_pids(%s)) > 0"

execute: Final = psycopg.AsyncCursor.execute
"""The driver's own."""


class KilledError(BaseException):
    """The process of an actor ended here: nothing of it goes on, and what it had not committed is undone."""


class Actor:
    """Somebody who does something, step by step.

    Attributes:
        name: For the story that is told of a failure.
        kill_in: After how many more steps its process is killed; 0 for never.
    """

    def __init__(self, name: str, kill_in: int = 0) -> None:
        self.name = name
        self.kill_in = kill_in
        self.arrived = asyncio.Event()
        self.turn = asyncio.Event()
        self.inside = False
        self.outside = False
        self.pid = 0
        self.blocked = False
        self.task: asyncio.Task[None] | None = None

    @property
    def done(self) -> bool:
        return self.task is not None and self.task.done()

    def stands(self) -> bool:
        """Whether it waits for its turn, or needs none any more."""
        return self.done or self.arrived.is_set()


class Network(msgspec.Struct):
    """How likely it is that a request is lost, or its answer."""

    lost: float = 0.0
    unanswered: float = 0.0


class Scheduler:
    """Runs actors, one step at a time, in an order that follows from the seed."""

    def __init__(self, random: Random, monitor: psycopg.AsyncConnection[Any]) -> None:
        self.random = random
        self.network = Network()
        # In some schedules everybody moves in turns; in others one does much while the others stand where they are.
        self._persistence = random.choice([0.0, 0.8, 0.95])
        self._last: Actor | None = None
        self.story: list[str] = []
        self._monitor = monitor
        self._actors: dict[asyncio.Task[None], Actor] = {}

    async def step(self, what: str, pid: int = 0, *, outside: bool = False) -> None:
        """Stop here until it is this actor's turn; whoever is none goes on.

        Args:
            what: For the story: what follows.
            pid: The database's process that does it.
            outside: Whether it goes over the network, where time passes for the others.

        Raises:
            KilledError: its process ends here.
        """
        actor = self._current()
        if actor is None:
            return
        actor.outside = outside
        actor.turn.clear()
        actor.arrived.set()
        await actor.turn.wait()
        actor.pid = pid
        actor.kill_in -= 1
        killed = actor.kill_in == 0
        self.story.append(f"{actor.name}: {'killed before ' if killed else ''}{what}")
        if killed:
            raise KilledError

    def _current(self) -> Actor | None:
        task = asyncio.current_task()
        return self._actors.get(task) if task is not None else None

    async def together(self, *doing: tuple[Actor, Callable[[], Awaitable[None]]]) -> None:
        """Let actors do what they do, in turns, until all are done.

        Raises:
            ExceptionGroup: what they raised, but for being killed.
        """
        for actor, call in doing:
            actor.task = asyncio.create_task(self._begin(call))
            self._actors[actor.task] = actor
        actors = [actor for actor, _ in doing]
        try:
            while not all(actor.done for actor in actors):
                await self._turn(actors)
        finally:
            for actor in actors:
                if actor.task is not None:
                    actor.task.cancel()
            ended = await asyncio.gather(*self._actors, return_exceptions=True)
            self._actors.clear()
        errors = [error for error in ended if isinstance(error, Exception)]
        if errors:
            raise ExceptionGroup("actors failed", errors)

    async def _begin(self, call: Callable[[], Awaitable[None]]) -> None:
        try:
            await self.step("the beginning")
            await call()
        except KilledError:
            pass

    async def _turn(self, actors: list[Actor]) -> None:
        """Let one of those that can move make its next step; then look after those that waited for a lock."""
        for actor in actors:
            if not actor.done and not (actor.blocked and await self._still_blocked(actor)):
                await self._settled(actor)
        ready = [actor for actor in actors if not actor.done and not actor.blocked]
        if not ready:
            await asyncio.sleep(_PATIENCE)
            return
        actor = self._chosen(ready)
        actor.arrived.clear()
        actor.turn.set()
        await self._settled(actor)

    def _chosen(self, ready: list[Actor]) -> Actor:
        last = self._last if self._last in ready else None
        persistence = self._persistence / 2 if last and last.outside else self._persistence
        if last is None or self.random.random() >= persistence:
            last = self.random.choice(ready)
        self._last = last
        return last

    async def _still_blocked(self, actor: Actor) -> bool:
        actor.blocked = not actor.arrived.is_set() and await self._is_blocked(actor)
        return actor.blocked

    async def _settled(self, actor: Actor) -> None:
        """Wait until an actor stands at its next step, has come to its end, or waits for a lock."""
        arriving = asyncio.ensure_future(actor.arrived.wait())
        try:
            while not actor.stands():
                waits = {arriving, *([actor.task] if actor.task is not None else [])}
                await asyncio.wait(waits, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
                if not actor.stands() and await self._is_blocked(actor):
                    actor.blocked = True
                    return
        finally:
            arriving.cancel()

    async def _is_blocked(self, actor: Actor) -> bool:
        if not actor.pid:
            return False
        cursor = self._monitor.cursor()
        await execute(cursor, _BLOCKED, (actor.pid,))
        return await cursor.fetchone() == (True,)

    # What is stepped before.

    def stepping_cursor(self) -> Callable[..., Awaitable[Any]]:
        """What executes statements, for the driver's cursors."""

        async def stepped(cursor: Any, query: Any, *values: Any, **options: Any) -> Any:  # noqa: ANN401 - the driver's
            actor = self._current()
            # Connections that are made, or looked at before they are used, are nobody's step.
            if actor is not None and actor.inside:
                await self.step(" ".join(str(query).split()[:3])[:60], cursor.connection.info.backend_pid)
            return await execute(cursor, query, *values, **options)

        return stepped

    def stepping_begin(self, begin: Begin) -> Begin:
        """Transactions with a step before and after the commit."""

        @asynccontextmanager
        async def opened() -> AsyncIterator[AsyncConnection]:
            actor = self._current() or Actor("nobody")
            async with begin() as db:
                actor.inside = True
                try:
                    yield db
                    await self.step("a commit")
                finally:
                    actor.inside = False
            await self.step("what follows a commit")

        return opened

    def stepping_requests(self, send: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """Requests to the gateway with a step before each is sent and before its answer is used; some get lost."""

        async def sent(method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> object:
            await self.step(f"{method} {url.partition('/v1/')[2].partition('?')[0]}", outside=True)
            if self.random.random() < self.network.lost:
                raise self._silence()
            answer = await send(method, url, headers, body)
            await self.step("using the answer", outside=True)
            if self.random.random() < self.network.unanswered:
                raise self._silence()
            return answer

        return sent

    def _silence(self) -> Exception:
        self.story.append("(no answer)")
        silence: Any = stripe.APIConnectionError
        error: Exception = silence("No answer", should_retry=self.random.random() < 0.5)
        return error
