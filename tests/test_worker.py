"""The process of the jobs."""

import ast
import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, text
from sqlmodel import col

from returns_portal import jobs, worker
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.embedded import EmbeddedPostgres, home_for
from returns_portal.jobs import JobContext
from returns_portal.notifications.actions import enqueue
from returns_portal.notifications.mailer import Mailer
from returns_portal.notifications.models import Email
from returns_portal.payments.stripe import StripeGateway
from returns_portal.prepare import prepare
from returns_portal.settings import Settings
from tests.environment import environment
from tests.notifications.samples import SAMPLES

PACKAGE = Path(worker.__file__).parent


def test_every_capabilitys_jobs_are_imported() -> None:
    folders = {path.parent.name for path in PACKAGE.glob("*/jobs.py")}
    assert {module.__name__.split(".")[1] for module in worker.JOB_MODULES} == folders


def deferred_names() -> Iterator[tuple[str, str]]:
    """The names of jobs in every module that defers any, with the module."""
    capabilities = "|".join(sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        called = {
            node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
        }
        if not called & {"defer", "defer_many"}:
            continue
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and re.fullmatch(rf"({capabilities})\.[a-z_]+", text):
                yield text, str(path.relative_to(PACKAGE))


def test_every_deferred_name_has_a_handler() -> None:
    found = list(deferred_names())
    assert "refunds.submit" in {name for name, _module in found}
    assert [(name, module) for name, module in found if name not in jobs.registry] == []


async def written(begin: Begin) -> None:
    async with begin() as db:
        await enqueue(
            db,
            template="return_filed",
            recipient="olena@example.org",
            locale="en",
            values=SAMPLES["return_filed"],
        )


async def all_sent(begin: Begin, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while True:
            async with begin() as db:
                statuses = [*(await db.execute(select(col(Email.status)))).scalars()]
            if set(statuses) == {"sent"}:
                return
            await asyncio.sleep(0.1)


async def idle(begin: Begin) -> None:
    """Wait until no job runs: one whose end cannot be written down is taken over, and said to be broken before."""
    async with asyncio.timeout(20):
        while True:
            async with begin() as db:
                if not await db.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")):
                    return
            await asyncio.sleep(0.1)


@pytest.fixture
def server() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL of this test alone, which it may stop."""
    home = home_for(Settings())
    server = EmbeddedPostgres(home.with_name(f"{home.name}-restarted-{os.getpid()}"))
    prepare(server.start())
    yield server
    server.stop(remove=True)


@pytest.mark.anyio
async def test_it_goes_on_after_a_restart_of_the_database(settings: Settings, server: EmbeddedPostgres) -> None:
    engine, stop = create_engine(server.url), asyncio.Event()
    begin = beginner(engine)
    async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
        context = JobContext(begin, settings, gateway, Mailer(settings))
        working = asyncio.create_task(worker.keep_working(server.url, context, 2, stop))
        await written(begin)
        await all_sent(begin, 20)
        await idle(begin)
        await asyncio.to_thread(server.stop)
        await engine.dispose()
        # Long enough for every part of the worker to find out: the sweep comes round the least often.
        await asyncio.sleep(jobs.SWEEP_SECONDS + 2)
        await asyncio.to_thread(server.start)
        await written(begin)
        await all_sent(begin, 40)
        assert not working.done()
        stop.set()
        await asyncio.wait_for(working, 15)
    await engine.dispose()


def test_a_signal_ends_it_in_good_order(database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "returns_portal", "worker"],
        env=os.environ | environment(database_url),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert "worker.started" in process.stderr.readline()
        with psycopg.connect(database_url, autocommit=True) as connection:
            deadline = time.monotonic() + 20
            while connection.execute("SELECT 1 FROM procrastinate_workers").fetchone() is None:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
            # It has signed off: nobody has to find out that it is gone.
            assert connection.execute("SELECT 1 FROM procrastinate_workers").fetchone() is None
        assert "worker.stopped" in process.stderr.read()
