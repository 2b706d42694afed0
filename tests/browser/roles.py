"""The demo's web and worker on a database of the tests, where `make run` would bring the embedded one.

Run as `python -m tests.browser.roles (web|worker) DATABASE_URL`, with the other settings in the environment.
"""

import asyncio
import signal
import sys

from returns_portal.carriers.registry import carriers_of
from returns_portal.db import beginner, create_engine
from returns_portal.jobs import JobContext
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.notifications.mailer import Mailer
from returns_portal.payments.stripe import StripeGateway
from returns_portal.serving import run_web
from returns_portal.settings import Settings, load_settings
from returns_portal.worker import keep_working


async def _work(settings: Settings, url: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    engine = create_engine(url)
    async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as gateway:
        labels = LabelRenderer(modest=True)
        context = JobContext(beginner(engine), settings, gateway, Mailer(settings), carriers_of(settings), labels)
        await keep_working(url, context, 2, stop)
        await labels.stop()
    await engine.dispose()


def _run(role: str, url: str) -> None:
    settings = load_settings()
    if role == "web":
        run_web(settings, database_url=url)
    else:
        asyncio.run(_work(settings, url))


if __name__ == "__main__":
    _run(*sys.argv[1:])
