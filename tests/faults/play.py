"""Playing a schedule by its seed, and telling the story of one that failed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any, Final, Self

import psycopg
import pytest

from returns_portal.db import Begin
from returns_portal.payments.stripe import StripeGateway
from returns_portal.shop import queries as shop
from tests.faults.ground import Ground
from tests.faults.oracle import prove
from tests.faults.scheduler import Network, Scheduler
from tests.faults.worker import without_waiting
from tests.faults.world import World

_AGAIN: Final = "played again by: FAULT_SEED={seed} pytest tests/faults/test_schedules.py"


class Player:
    """Plays schedules on one portal, one after the other."""

    def __init__(self, ground: Ground, monitor: psycopg.AsyncConnection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.ground = ground
        self._begin: Begin = ground.begin
        self._monitor = monitor
        self._patch = monkeypatch
        gateway = ground.context.service(StripeGateway)
        without_waiting(gateway)
        self._http: Any = gateway._http
        self._send = self._http.request_async

    @classmethod
    @asynccontextmanager
    async def on(cls, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Self]:
        monitor = await psycopg.AsyncConnection.connect(ground.url, autocommit=True)
        async with monitor:
            yield cls(ground, monitor, monkeypatch)

    async def play(self, seed: int) -> None:
        """Play one schedule.

        Raises:
            AssertionError: something is not as it must be; the message begins with the seed.
        """
        scheduler = Scheduler(Random(seed), self._monitor)  # noqa: S311 - a schedule is no secret
        with self._patch.context() as patch:
            begin = scheduler.stepping_begin(self._begin)
            patch.setattr(psycopg.AsyncCursor, "execute", scheduler.stepping_cursor())
            patch.setattr(self.ground, "begin", begin)
            patch.setattr(self.ground.context, "begin", begin)
            patch.setattr(self._http, "request_async", scheduler.stepping_requests(self._send))
            # What is kept for a while would decide which statements there are, by when the schedule is played.
            patch.setattr(shop, "CACHE_SECONDS", 0.0)
            world = World(self.ground, scheduler)
            try:
                await self._through(world)
            except Exception as error:
                story = "\n  ".join([_AGAIN.format(seed=seed), *scheduler.story])
                raise AssertionError(f"seed {seed}, order {world.number}: {error!r}\n  {story}") from error

    @staticmethod
    async def _through(world: World) -> None:
        await world.begins()
        await _one_day(world)
        if world.chance(0.5):
            world.scheduler.story.append("-- the night between --")
            await world.night()
            await _one_day(world)
        world.scheduler.story.append("-- the day is over --")
        await world.ends()
        await prove(world)


async def _one_day(world: World) -> None:
    """What happens at once, while the network is good, bad, or worse."""
    world.scheduler.network = world.pick(Network(), Network(), Network(0.05, 0.1), Network(0.2, 0.4))
    await world.scheduler.together(*world.actors())
    world.scheduler.network = Network()
