"""One order on a bad day, and the dice that decide what happens to it."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.db import run
from returns_portal.errors import DomainError
from tests.faults.ground import Ground
from tests.faults.scheduler import Scheduler

Change = Callable[[AsyncConnection], Awaitable[Any]]


class Place:
    """An order, and a way to do things to it.

    Attributes:
        reference: The gateway's id of its payment, once it is known.
        dashboard: The ids of the refunds that were made in the gateway's dashboard.
        disputes: The gateway's ids of the disputes of its payment.
    """

    def __init__(self, ground: Ground, scheduler: Scheduler) -> None:
        self.ground = ground
        self.scheduler = scheduler
        self.random: Random = scheduler.random
        self.begin = ground.begin
        self.number = f"W-{uuid4().hex[:12]}"
        self.email = f"{self.number.lower()}@example.com"
        self.order_id = UUID(int=0)
        self.line = UUID(int=0)
        self.rmas: list[str] = []
        self.dashboard: list[str] = []
        self.disputes: list[str] = []
        self.reference = ""

    def pick(self, *options: Any) -> Any:  # noqa: ANN401 - one of them
        return self.random.choice(options)

    def chance(self, likely: float) -> bool:
        return self.random.random() < likely

    async def allowed(self, change: Change) -> Any:  # noqa: ANN401 - what the change answers
        """Do something in a transaction; a polite refusal is an answer, too."""
        try:
            async with self.begin() as db:
                return await change(db)
        except DomainError as error:
            self.scheduler.story.append(f"({type(error).__name__} {error.code})")
            return None

    async def one_of(self, query: str) -> Any:  # noqa: ANN401 - a row
        """One of the order's rows that a query names, or none."""
        async with self.begin() as db:
            rows = await run(db, query, id=self.order_id)
        return self.random.choice(rows) if rows else None
