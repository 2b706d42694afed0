"""The process that runs the jobs: refunds, payments, e-mails, tidying up."""

import asyncio
import signal
import time
from contextlib import suppress
from types import ModuleType
from typing import Final

import psycopg
import structlog
import uvloop
from procrastinate.exceptions import ConnectorException

from returns_portal import logs, memory
from returns_portal.accounts import jobs as accounts_jobs
from returns_portal.carriers.registry import carriers_of
from returns_portal.claims import jobs as claims_jobs
from returns_portal.confirming import jobs as confirming_jobs
from returns_portal.db import beginner, create_engine
from returns_portal.demand import jobs as demand_jobs
from returns_portal.embedded import database_url
from returns_portal.exchanges import jobs as exchanges_jobs
from returns_portal.finance import jobs as finance_jobs
from returns_portal.gifts import jobs as gifts_jobs
from returns_portal.insights import jobs as insights_jobs
from returns_portal.jobs import JobContext, queue_app, work
from returns_portal.labels import jobs as labels_jobs
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.loyalty import jobs as loyalty_jobs
from returns_portal.notifications import jobs as notifications_jobs
from returns_portal.notifications.mailer import Mailer
from returns_portal.payments import jobs as payments_jobs
from returns_portal.payments.stripe import StripeGateway
from returns_portal.points import jobs as points_jobs
from returns_portal.privacy import jobs as privacy_jobs
from returns_portal.refunds import jobs as refunds_jobs
from returns_portal.service import jobs as service_jobs
from returns_portal.settings import Settings
from returns_portal.tryon import jobs as tryon_jobs
from returns_portal.warehouse import jobs as warehouse_jobs

log = structlog.get_logger(__name__)

JOB_MODULES: Final[tuple[ModuleType, ...]] = (
    accounts_jobs,
    claims_jobs,
    confirming_jobs,
    demand_jobs,
    exchanges_jobs,
    gifts_jobs,
    finance_jobs,
    insights_jobs,
    labels_jobs,
    loyalty_jobs,
    notifications_jobs,
    payments_jobs,
    points_jobs,
    privacy_jobs,
    refunds_jobs,
    service_jobs,
    tryon_jobs,
    warehouse_jobs,
)
"""Every capability's jobs: importing them registers their handlers."""

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 10.0
_STEADY_SECONDS = 30.0
"""A connection that lasted so long was a good one; the next loss is answered without delay again."""


def run_worker(settings: Settings) -> None:
    """Run jobs until SIGINT or SIGTERM, which let those under way end.

    Raises:
        SettingsError: SMTP_URL or MAIL_FROM cannot be used.
    """
    logs.configure(settings.log_level)
    mailer = Mailer(settings)
    memory.keep_what_is_loaded()
    uvloop.run(_run(settings, mailer))


async def _run(settings: Settings, mailer: Mailer) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    url = database_url(settings)
    engine = create_engine(url, size=settings.worker_concurrency + 2, name="returns-portal worker")
    gateway = StripeGateway(key=settings.stripe_key, base=settings.stripe_base)
    carriers = carriers_of(settings)
    # Its process begins with the first document: a run of labels, or a paper that goes along with an e-mail.
    labels = LabelRenderer(modest=True)
    mailer.documents = labels.pool
    try:
        context = JobContext(beginner(engine), settings, gateway, mailer, carriers, labels)
        await keep_working(url, context, settings.worker_concurrency, stop)
    finally:
        await labels.stop()
        await carriers.close()
        await gateway.close()
        await engine.dispose()


async def keep_working(url: str, context: JobContext, concurrency: int, stop: asyncio.Event) -> None:
    """Work until asked to stop, connecting anew whenever the database was away."""
    delay = _FIRST_DELAY
    while not stop.is_set():
        started = time.monotonic()
        await _work_once(url, context, concurrency, stop)
        if stop.is_set():
            break
        if time.monotonic() - started > _STEADY_SECONDS:
            delay = _FIRST_DELAY
        log.warning("worker.reconnects", seconds=delay)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), delay)
        delay = min(_LONGEST_DELAY, delay * 2)
    log.info("worker.stopped")


async def _work_once(url: str, context: JobContext, concurrency: int, stop: asyncio.Event) -> None:
    """Work until asked to stop or until the connection is lost."""
    app = queue_app(url, context)
    # The queue's own handlers would end its loop without telling a signal from a lost connection.
    app.worker_defaults["install_signal_handlers"] = False
    working = asyncio.create_task(work(app, concurrency=concurrency))
    stopping = asyncio.create_task(stop.wait())
    log.info("worker.started", concurrency=concurrency)
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    # Cancelled, the queue takes nothing new and lets what runs come to its end.
    working.cancel()
    stopping.cancel()
    try:
        await working
    except asyncio.CancelledError:
        pass
    except (ConnectorException, psycopg.OperationalError) as error:
        log.warning("worker.database_away", error=type(error).__name__)
