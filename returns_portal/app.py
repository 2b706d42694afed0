"""The only place where everything is put together: the application of a web process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, Final

import msgspec
import structlog
from litestar import Litestar, Router
from litestar.di import Provide
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

import returns_portal.accounts.api
import returns_portal.accounts.web
import returns_portal.accounts.web_doors
import returns_portal.accounts.web_language
import returns_portal.accounts.web_links
import returns_portal.accounts.web_shop_login
import returns_portal.catalog.api
import returns_portal.catalog.web
import returns_portal.claims.api
import returns_portal.claims.replacements.api
import returns_portal.claims.web
import returns_portal.confirming.api
import returns_portal.confirming.web
import returns_portal.demand.web
import returns_portal.exchanges.api
import returns_portal.exchanges.web
import returns_portal.finance.api
import returns_portal.finance.web
import returns_portal.gifts.web
import returns_portal.insights.web
import returns_portal.labels.api
import returns_portal.labels.web
import returns_portal.loyalty.web
import returns_portal.notifications.web
import returns_portal.notifications.web_choices
import returns_portal.orders.api
import returns_portal.payments.web
import returns_portal.points.api
import returns_portal.points.web
import returns_portal.policies.web
import returns_portal.privacy.web
import returns_portal.refunds.api
import returns_portal.refunds.web
import returns_portal.returns.api
import returns_portal.returns.web
import returns_portal.service.web
import returns_portal.shop.web
import returns_portal.tryon.api
import returns_portal.tryon.web
import returns_portal.warehouse.api
import returns_portal.warehouse.web
from returns_portal import logs
from returns_portal.accounts.queries import actor_for_key, actor_for_session
from returns_portal.catalog.queries import something_listed
from returns_portal.db import create_engine
from returns_portal.labels.renderer import LabelRenderer
from returns_portal.service.pace import Pace, pace, public_line
from returns_portal.service.pace import in_words as pace_in_words
from returns_portal.settings import Settings
from returns_portal.shop.queries import ShopInfo
from returns_portal.shop.queries import current as current_shop
from returns_portal.web.assets import Assets, static_file
from returns_portal.web.csrf import MAX_FORM, csrf_protection
from returns_portal.web.envelope import Envelope
from returns_portal.web.health import livez, readyz
from returns_portal.web.manifest import manifest
from returns_portal.web.problems import exception_handlers
from returns_portal.web.schema import openapi_config
from returns_portal.web.site import STATIC_DIR, ShopFacts, Site
from returns_portal.web.templates import Templates
from returns_portal.web.transaction import provide_actor, provide_begin, provide_db

log = structlog.get_logger(__name__)

FACES: Final[list[Any]] = [
    *returns_portal.accounts.web.routes,
    *returns_portal.accounts.web_doors.routes,
    *returns_portal.accounts.web_language.routes,
    *returns_portal.accounts.web_links.routes,
    *returns_portal.accounts.web_shop_login.routes,
    *returns_portal.catalog.web.routes,
    *returns_portal.claims.web.routes,
    *returns_portal.confirming.web.routes,
    *returns_portal.demand.web.routes,
    *returns_portal.exchanges.web.routes,
    *returns_portal.finance.web.routes,
    *returns_portal.gifts.web.routes,
    *returns_portal.insights.web.routes,
    *returns_portal.labels.web.routes,
    *returns_portal.loyalty.web.routes,
    *returns_portal.notifications.web.routes,
    *returns_portal.notifications.web_choices.routes,
    *returns_portal.points.web.routes,
    *returns_portal.policies.web.routes,
    *returns_portal.privacy.web.routes,
    *returns_portal.refunds.web.routes,
    *returns_portal.returns.web.routes,
    *returns_portal.service.web.routes,
    *returns_portal.shop.web.routes,
    *returns_portal.tryon.web.routes,
    *returns_portal.warehouse.web.routes,
]
"""The pages."""

CALLS: Final[list[Any]] = [
    *returns_portal.accounts.api.routes,
    *returns_portal.catalog.api.routes,
    *returns_portal.claims.api.routes,
    *returns_portal.claims.replacements.api.routes,
    *returns_portal.confirming.api.routes,
    *returns_portal.exchanges.api.routes,
    *returns_portal.finance.api.routes,
    *returns_portal.labels.api.routes,
    *returns_portal.orders.api.routes,
    *returns_portal.points.api.routes,
    *returns_portal.refunds.api.routes,
    *returns_portal.returns.api.routes,
    *returns_portal.tryon.api.routes,
    *returns_portal.warehouse.api.routes,
]
"""The calls of the JSON API."""

HOOKS: Final[list[Any]] = [
    *returns_portal.payments.web.routes,
    *returns_portal.labels.web.hooks,
    *returns_portal.notifications.web_choices.hooks,
]
"""Where other systems tell of something, each proving by a signature who it is: mail programs by a link's own."""

MAX_BODY: Final = 1_000_000
"""Bytes of a call's JSON."""

MAX_HOOK: Final = 1 << 20
"""Bytes of what another system tells."""

_POOL: Final = 10


class _PageFacts(ShopInfo, frozen=True):
    """What every page says about the shop."""

    storefront: bool = False
    pace: Pace | None = None

    def answers(self) -> str:
        """How soon questions were answered of late, in the reader's words; empty where nothing can be said."""
        return pace_in_words(self.pace)

    def says_pace(self) -> str:
        """The same in one sentence for every page, where the shop has switched it on."""
        return public_line(self.pace) if self.shows_pace else ""


async def _load_shop(db: AsyncConnection) -> ShopFacts:
    shop = await current_shop(db)
    return _PageFacts(**msgspec.structs.asdict(shop), storefront=await something_listed(db), pace=await pace(db))


def create_app(settings: Settings, *, database_url: str, warm: bool = False) -> Litestar:
    """Put the application together; it connects when it is started.

    Args:
        settings: What the environment says.
        database_url: The migrated database.
        warm: Whether the processes that make labels start with the application, rather than with the first label.

    Raises:
        ValueError: the settings have no secret key.
    """
    app = assemble(secret_of(settings))
    furnish(app, settings, database_url=database_url, warm=warm)
    return app


def secret_of(settings: Settings) -> bytes:
    """What everything is signed with.

    Raises:
        ValueError: the settings have no secret key.
    """
    if settings.secret_key is None:
        raise ValueError("SECRET_KEY is required")
    return settings.secret_key.get_secret_value().encode()


def assemble(secret: bytes) -> Litestar:
    """All routes of the portal with their pages, which takes half a second; it serves once it is furnished."""
    pages = Router(
        "/",
        route_handlers=FACES,
        middleware=[csrf_protection(secret)],
        request_max_body_size=MAX_FORM,
        include_in_schema=False,
    )
    calls = Router("/api/v1", route_handlers=CALLS, security=[{"key": []}], request_max_body_size=MAX_BODY)
    hooks = Router("/", route_handlers=HOOKS, request_max_body_size=MAX_HOOK, include_in_schema=False)
    app = Litestar(
        [pages, calls, hooks, static_file, manifest, livez, readyz],
        dependencies={
            "db": Provide(provide_db),
            "actor": Provide(provide_actor, sync_to_thread=False),
            "begin": Provide(provide_begin, sync_to_thread=False),
        },
        exception_handlers=exception_handlers(),
        lifespan=[_running],
        openapi_config=openapi_config(version("returns-portal")),
        logging_config=None,
        request_max_body_size=MAX_BODY,
    )
    app.state.routes = app.asgi_handler
    app.state.parts = {"templates": Templates(), "assets": Assets.load(STATIC_DIR)}
    return app


def furnish(app: Litestar, settings: Settings, *, database_url: str, warm: bool = False) -> None:
    """Give the routes what they work on, in place of what they had: the arguments are those of `create_app`."""
    app.state.site = site = Site(
        settings=settings,
        engine=create_engine(database_url, size=_POOL, name="returns-portal web"),
        reader=create_engine(database_url, size=_POOL, name="returns-portal web", reads_only=True),
        session_actor=actor_for_session,
        key_actor=actor_for_key,
        load_shop=_load_shop,
        secret=secret_of(settings),
        **app.state.parts,
    )
    app.state.labels = LabelRenderer(settings.label_processes)
    app.state.warm = warm
    app.asgi_handler = Envelope(app.state.routes, site)


@asynccontextmanager
async def _running(app: Litestar) -> AsyncIterator[None]:
    site: Site = app.state.site
    labels: LabelRenderer = app.state.labels
    if app.state.warm:
        await labels.start()
    try:
        async with site.begin() as db:
            await site.refresh_shop(db)
    except SQLAlchemyError as error:
        # The process serves all the same: /readyz says what is missing, and pages say so too.
        log.warning("database.unavailable", **logs.describe(error))
    try:
        yield
    finally:
        await labels.stop()
        await site.engine.dispose()
        await site.reader.dispose()
