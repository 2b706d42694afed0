"""Deferring jobs inside the caller's transaction, and running them.

A job is a row of the queue (procrastinate's, in the same database), written by the transaction that asks for it:
if that commits the job will run, also after a crash, and if it rolls back the job never was. Its arguments are ids
of our rows and nothing else. A job may run more than once; what it does must not happen more than once, which is
the handler's duty.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
import procrastinate
import psycopg_pool
import structlog
from procrastinate import jobs as queue_jobs
from procrastinate import retry as queue_retry
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, run
from returns_portal.queue import DEFER, Batches

T = TypeVar("T")
log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS: Final = 5.0
STALLED_SECONDS: Final = 15.0
SWEEP_SECONDS: Final = 10.0


class JobContext:
    """What a running job is given: a way to open transactions, and the services of the process."""

    def __init__(self, begin: Begin, *services: object) -> None:
        """Keep the services, to be asked for by their type."""
        self.begin = begin
        self._services = services

    def service(self, kind: type[T]) -> T:
        """The process's one service of this type.

        Raises:
            LookupError: the process was put together without one.
        """
        for service in self._services:
            if isinstance(service, kind):
                return service
        raise LookupError(kind.__name__)


Handler = Callable[..., Awaitable[None]]


class _Registered(msgspec.Struct, frozen=True):
    handler: Handler
    attempts: int
    cron: str | None


registry: dict[str, _Registered] = {}


def job(name: str, *, attempts: int = 12, cron: str | None = None) -> Callable[[Handler], Handler]:
    """Register a handler under the name by which it is deferred; `cron` repeats it (the sixth field is seconds)."""

    def register(handler: Handler) -> Handler:
        if name in registry:
            raise ValueError(f"two handlers for the job {name}")
        registry[name] = _Registered(handler, attempts, cron)
        return handler

    return register


class _Backoff(queue_retry.BaseRetryStrategy):
    """Try again after 1, 2, 4 … seconds, at most ten minutes, spread so that failures do not march in step."""

    def __init__(self, attempts: int) -> None:
        self.attempts = attempts

    def get_retry_decision(self, *, exception: BaseException, job: queue_jobs.Job) -> queue_retry.RetryDecision | None:
        if job.attempts + 1 >= self.attempts or not isinstance(exception, Exception):
            return None
        seconds = min(600.0, 2.0**job.attempts) * spread()
        return queue_retry.RetryDecision(retry_at=clock.now() + timedelta(seconds=seconds))


def spread() -> float:
    """By how much a wait is shortened or lengthened: it keeps retries from arriving together, and is no secret."""
    return random.uniform(0.75, 1.25)  # noqa: S311


async def defer(db: AsyncConnection, name: str, *, at: datetime | None = None, **ids: str) -> None:
    """Write a job into the caller's transaction, to run after it commits, not before `at`."""
    await defer_many(db, name, [ids], at=at)


async def defer_many(db: AsyncConnection, name: str, ids: list[dict[str, str]], *, at: datetime | None = None) -> None:
    """Write several jobs of one name into the caller's transaction, in one statement."""
    if ids:
        await run(db, DEFER, name=name, at=at, ids=msgspec.json.encode(ids).decode())


def queue_app(database_url: str, context: JobContext) -> procrastinate.App:
    """The queue with every registered handler, for a worker process."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=url,
            min_size=2,
            max_size=6,
            kwargs={"application_name": "returns-portal queue"},
            pool_factory=_pool,
        )
    )
    app.job_manager = Batches(app.connector)
    for name, registered in registry.items():
        task = app.task(
            name=name, retry=_Backoff(registered.attempts), queueing_lock=name if registered.cron else None
        )(_bind(registered.handler, context, periodic=registered.cron is not None))
        if registered.cron:
            app.periodic(cron=registered.cron, periodic_id=name, queueing_lock=name)(task)
    return app


def _pool(**options: Any) -> psycopg_pool.AsyncConnectionPool:  # noqa: ANN401 - what the pool takes
    """A pool without a test query before each use: a lost connection ends the worker's round, which begins anew."""
    options.pop("check", None)
    return psycopg_pool.AsyncConnectionPool(**options)


def _bind(handler: Handler, context: JobContext, *, periodic: bool) -> Callable[..., Awaitable[None]]:
    async def run(timestamp: int | None = None, **ids: str) -> None:
        del timestamp  # When a periodic job was due; what is due now is what it looks for.
        await handler(context, **ids)

    async def run_deferred(**ids: str) -> None:
        await handler(context, **ids)

    return run if periodic else run_deferred


async def work(app: procrastinate.App, *, concurrency: int) -> None:
    """Run jobs until cancelled or signalled; jobs of workers that died are taken over."""
    taken = app.job_manager
    async with app.open_async():
        sweeper = asyncio.create_task(_sweep(app))
        try:
            await app.run_worker_async(
                concurrency=concurrency,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
                shutdown_graceful_timeout=8.0,
            )
        finally:
            if isinstance(taken, Batches):
                with suppress(procrastinate.exceptions.ConnectorException):
                    await taken.give_back()
            # While the database is away, its driver may swallow a cancellation; so ask until it has ended.
            while not sweeper.done():
                sweeper.cancel()
                await asyncio.wait({sweeper}, timeout=1)


async def drain(app: procrastinate.App, *, concurrency: int = 1) -> None:
    """Run every job that is due now, and return (tests, and the loading of the demo)."""
    async with app.open_async():
        await app.run_worker_async(
            wait=False,
            concurrency=concurrency,
            delete_jobs="successful",
            install_signal_handlers=False,
            listen_notify=False,
        )


async def _sweep(app: procrastinate.App) -> None:
    """Put the jobs of dead workers back, at once and every few seconds."""
    while True:
        try:
            for stalled in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                log.warning("job.taken_over", job=stalled.task_name, id=stalled.id)
                await app.job_manager.retry_job(stalled)
        except procrastinate.exceptions.ConnectorException as error:
            log.warning("job.sweep_failed", error=type(error).__name__)
        await asyncio.sleep(SWEEP_SECONDS)
