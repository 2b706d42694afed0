"""The worker of the tests: made of the real worker's parts, with points between its steps at which it may be killed.

`run` does what is due in the queue and returns: it is started as a fork of a process that has everything loaded, since
a fresh one would take a second of processor time. As a process of its own (`python -m tests.faults.worker`) this is the
portal's worker itself, in which time runs faster for those that died; `KILL_AT` names the point.
"""

import asyncio
import gc
import os
import sys
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
import msgspec
import procrastinate
from litestar import Litestar
from pydantic import SecretStr

from returns_portal import jobs, logs, worker
from returns_portal.app import create_app
from returns_portal.db import beginner, create_engine
from returns_portal.jobs import JobContext, drain, queue_app
from returns_portal.notifications.mailer import Mailer
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings, load_settings
from tests.faults.points import Points, watch_gateway, watch_mail, watch_queue, watch_transactions

SECRET = "test-secret-" * 4
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"
FASTER = {"HEARTBEAT_SECONDS": 0.2, "STALLED_SECONDS": 1.0, "SWEEP_SECONDS": 0.3}
"""How fast a worker of `main` is found to be dead."""


class Call(msgspec.Struct, frozen=True):
    """One request of the portal's web."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


class Task(msgspec.Struct, frozen=True):
    """What a process is to do, and where it dies.

    Attributes:
        database_url: The portal's database.
        settings: The portal's settings.
        kill_at: The point, counted from 1; 0 for none.
        call: Instead of working, answer this request.
    """

    database_url: str
    settings: dict[str, Any]
    kill_at: int = 0
    call: Call | None = None


class Told(msgspec.Struct, frozen=True):
    """What a process tells: the point at which it dies, or that it is done, with the answer to a call."""

    point: str = ""
    points: int = 0
    status: int = 0
    body: bytes = b""


def run(task: Task, told: "Connection[Told, Told]") -> None:
    """Do a task, in a process of its own."""
    gc.disable()
    logs.configure("error")
    points = Points(task.kill_at, lambda name: told.send(Told(point=name)))
    doing = _work(task, points) if task.call is None else _answer(task, task.call, points)
    told.send(asyncio.run(doing))


async def _work(task: Task, points: Points) -> Told:
    """Do what is due, one job after the other. Jobs that repeat by themselves are only done when they are asked for."""
    settings = Settings(**task.settings)
    engine = create_engine(task.database_url, size=3)
    watch_mail(points)
    async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
        watch_gateway(gateway, points)
        context = JobContext(watch_transactions(beginner(engine), points), settings, gateway, Mailer(settings))
        app = queue_of(task.database_url, context)
        watch_queue(app, points)
        await drain(app)
    await engine.dispose()
    return Told(points=points.count)


def queue_of(database_url: str, context: JobContext) -> procrastinate.App:
    """The queue, in which jobs that repeat are only done when they are asked for; no attempt waits for the next."""
    without_waiting(context.service(StripeGateway))
    app = queue_app(database_url, context)
    app.periodic_registry.periodic_tasks.clear()
    return app


def without_waiting(gateway: StripeGateway) -> None:
    """Let each attempt follow at once on the one before."""
    http: Any = gateway._http
    http.sleep_async = lambda _: asyncio.ensure_future(asyncio.sleep(0))


async def go_on(app: procrastinate.App) -> None:
    """Be the next worker: its sweep puts back what dead ones left, and all that is due is done."""
    async with app.open_async():
        sweeping = asyncio.create_task(jobs._sweep(app))
        while await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=jobs.STALLED_SECONDS):  # noqa: ASYNC110 - the database says it
            await asyncio.sleep(0.005)
        sweeping.cancel()
        await asyncio.wait({sweeping})
    await drain(app)


@cache
def application() -> Litestar:
    """The portal's web, connected to nothing yet: putting it together takes half a second of processor time."""
    return create_app(Settings(data_dir=Path("/"), secret_key=SecretStr(SECRET)), database_url=NOWHERE)


async def _answer(task: Task, call: Call, points: Points) -> Told:
    site = application().state.site
    site.settings = Settings(**task.settings)
    site.engine = create_engine(task.database_url, size=2)
    site.begin = watch_transactions(beginner(site.engine), points)
    answer = await _sent(application(), call)
    points.reach("before the answer")
    await site.engine.dispose()
    return Told(points=points.count, status=answer.status_code, body=answer.content)


async def _sent(app: Litestar, call: Call) -> httpx.Response:
    portal: Any = app  # httpx has types of its own for what an application is.
    async with httpx.AsyncClient(transport=httpx.ASGITransport(portal), base_url="https://127.0.0.1") as client:
        return await client.request(call.method, call.path, content=call.body, headers=call.headers)


def main() -> None:
    """Be the portal's worker, and die at the first point that is named `KILL_AT`."""
    points = Points(os.environ.get("KILL_AT", ""), lambda name: print(name, file=sys.stderr))  # noqa: T201 - the log of the process
    jobs.__dict__.update(FASTER)
    parts: dict[str, Callable[..., Any]] = {}

    def watched(name: str, watch: Callable[..., Any]) -> None:
        make = worker.__dict__[name]

        def made(*values: Any, **options: Any) -> Any:  # noqa: ANN401 - the part's own
            part = make(*values, **options)
            return watch(part, points) or part

        parts[name] = made

    watched("beginner", watch_transactions)
    watched("StripeGateway", watch_gateway)
    watched("queue_app", watch_queue)
    worker.__dict__.update(parts)
    worker.run_worker(load_settings())


if __name__ == "__main__":
    main()
