"""Loaded once by the process that forks: what every fork would else have to do by itself."""

import asyncio
import gc

from sqlalchemy.orm import configure_mappers

from returns_portal.db import beginner, create_engine
from returns_portal.jobs import JobContext, queue_app
from returns_portal.notifications.mailer import Mailer
from returns_portal.notifications.rendering import render_email
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from returns_portal.shop.queries import DEFAULT
from tests.faults.worker import NOWHERE, application
from tests.notifications.samples import SAMPLES
from tests.sandboxes import KEY


async def _put_together() -> None:
    """Every part of a worker, connected to nothing."""
    settings = Settings()
    engine = create_engine(NOWHERE)
    async with StripeGateway(key=KEY, base=settings.stripe_base) as gateway:
        queue_app(NOWHERE, JobContext(beginner(engine), settings, gateway, Mailer(settings)))
    await engine.dispose()


application()
configure_mappers()
for template, values in SAMPLES.items():
    render_email(template, "en", values, DEFAULT, Settings())
asyncio.run(_put_together())
# The collector would write to every page that a fork shares with this process.
gc.collect()
gc.freeze()
