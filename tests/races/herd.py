"""Several processes that do the same at the same moment, each with connections of its own.

They are started once, and asked again and again. A call is a function of this package, by its name; what it answers is
a word: the code of a refusal, or what it made of it.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import msgspec

from returns_portal import logs
from returns_portal.db import beginner, create_engine
from returns_portal.errors import DomainError
from returns_portal.jobs import JobContext
from returns_portal.notifications.mailer import Mailer
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from tests.faults.ground import forks
from tests.processes import wait_until

SIZE: Final = 4
_SECONDS: Final = 90.0
_CONNECTIONS: Final = 5


class Here(msgspec.Struct, frozen=True):
    """What a call works with, in its process."""

    context: JobContext
    settings: Settings
    database_url: str


Call = Callable[..., Awaitable[str]]
Asked = tuple[Call, tuple[object, ...]]


class _Task(msgspec.Struct, frozen=True):
    database_url: str
    settings: dict[str, Any]
    asked: list[Asked]


class Herd:
    """The processes."""

    def __init__(self, members: Sequence[tuple[BaseProcess, "Connection[Any, Any]"]]) -> None:
        self._members = members

    def at_once(self, database_url: str, settings: Settings, asked: Sequence[Asked]) -> Counter[str]:
        """Have calls done by all processes together; how often each word was answered."""
        pipes = [pipe for _, pipe in self._members]
        given = settings.model_dump(exclude_none=True)
        for place, pipe in enumerate(pipes):
            pipe.send(_Task(database_url, given, list(asked[place :: len(pipes)])))
        for pipe in pipes:
            assert _heard(pipe) == "ready"
        for pipe in pipes:
            pipe.send("go")
        return Counter(word for pipe in pipes for word in _heard(pipe))

    @contextmanager
    def stalled(self, database_url: str, settings: Settings, asked: Asked) -> Iterator[list[str]]:
        """Have one process do a call that stops the process in the middle; it goes on, and answers, when this ends."""
        process, pipe = self._members[0]
        assert process.pid is not None
        pipe.send(_Task(database_url, settings.model_dump(exclude_none=True), [asked]))
        assert _heard(pipe) == "ready"
        pipe.send("go")
        stat = Path(f"/proc/{process.pid}/stat")
        wait_until(lambda: _state(stat) == "T", _SECONDS, "a process that stands still", every=0.005)
        answered: list[str] = []
        try:
            yield answered
        finally:
            os.kill(process.pid, signal.SIGCONT)
            answered += _heard(pipe)


def _state(stat: Path) -> str:
    """What a process does, in Linux's letter for it; its name before that is in brackets."""
    return stat.read_text().rpartition(")")[2].split()[0]


def _heard(pipe: "Connection[Any, Any]") -> Any:  # noqa: ANN401 - whatever was sent
    assert pipe.poll(_SECONDS), "a process of the herd says nothing"
    return pipe.recv()


@contextmanager
def herd() -> Iterator[Herd]:
    """The processes, until this ends."""
    context = forks()
    members = []
    for _ in range(SIZE):
        mine, its = context.Pipe()
        process = context.Process(target=_member, args=(its,), daemon=True)
        process.start()
        its.close()
        members.append((process, mine))
    try:
        yield Herd(members)
    finally:
        for _, pipe in members:
            pipe.close()
        for process, _ in members:
            process.join(10)
            if process.is_alive():
                process.kill()


def _member(pipe: "Connection[Any, Any]") -> None:
    logs.configure("error")
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        asyncio.run(_do(task, pipe))


async def _do(task: _Task, pipe: "Connection[Any, Any]") -> None:
    settings = Settings(**task.settings)
    engine = create_engine(task.database_url, size=_CONNECTIONS)
    async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
        begin = beginner(engine)
        async with begin():
            pass  # What it takes to connect is no part of the race.
        here = Here(JobContext(begin, settings, gateway, Mailer(settings)), settings, task.database_url)
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)
        answers = await asyncio.gather(*(_word(call, here, values) for call, values in task.asked))
    await engine.dispose()
    pipe.send(answers)


async def _word(call: Call, here: Here, values: tuple[object, ...]) -> str:
    try:
        return await call(here, *values)
    except DomainError as error:
        return error.code
    except Exception as error:  # noqa: BLE001 - the test counts it as what it is
        return f"{type(error).__name__}: {error}"
