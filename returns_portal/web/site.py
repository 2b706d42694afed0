"""What every request of a process shares, put together once by the application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol, cast

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.types import Scope
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from returns_portal.actor import Actor
from returns_portal.db import Begin, beginner
from returns_portal.settings import Settings
from returns_portal.web.assets import Assets
from returns_portal.web.templates import Templates

Connection = ASGIConnection[Any, Any, Any, State]

STATIC_DIR: Final = Path(__file__).resolve().parent.parent / "static"
ACTOR: Final = "portal.actor"
"""Where the scope of a request keeps who asks."""
FLASH: Final = "portal.flash"
"""Where the scope of a request keeps what the next page says first."""

ANONYMOUS: Final = Actor(kind="customer")


class Presence(msgspec.Struct, frozen=True):
    """Whether somebody serves a channel at this moment, and until or from when, in the reader's words."""

    open: bool
    text: str


class ShopFacts(Protocol):
    """What pages say about the shop."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def email(self) -> str:
        """Where customers write."""

    @property
    def phone(self) -> str:
        """Where customers call."""

    @property
    def timezone(self) -> str:
        """The IANA zone of its days."""

    @property
    def storefront(self) -> bool:
        """Whether it offers something here."""

    @property
    def accent(self) -> str:
        """Its colour as `#rrggbb`; empty for the portal's own."""

    @property
    def logo(self) -> str:
        """The version of its logo; empty where it has none."""

    def words(self, place: str, language: str) -> str:
        """What it says in a place in its own words; empty where it has none in the language."""

    def presence(self, channel: Literal["phone", "written"]) -> Presence | None:
        """Whether somebody serves a channel now; None where it says nothing about that."""

    def answers(self) -> str:
        """How soon questions were answered of late, in the reader's words; empty where nothing can be said."""

    def says_pace(self) -> str:
        """The same in one sentence for every page; empty where the shop does not want it said."""


class UnknownShop(msgspec.Struct, frozen=True):
    """What is said about the shop while the database has not told yet."""

    name: str = "Returns"
    email: str = ""
    phone: str = ""
    timezone: str = "UTC"
    storefront: bool = False
    accent: str = ""
    logo: str = ""

    def words(self, place: str, language: str) -> str:
        """None yet."""
        del place, language
        return ""

    def presence(self, channel: Literal["phone", "written"]) -> Presence | None:
        """Not known yet."""
        del channel
        return None

    def answers(self) -> str:
        """Not known yet."""
        return ""

    def says_pace(self) -> str:
        """Not known yet."""
        return ""


@dataclass
class Site:
    """The parts of a running portal that pages and handlers reach for.

    The three callables come from capabilities above this layer; the application hands them down.
    """

    settings: Settings
    engine: AsyncEngine
    reader: AsyncEngine
    """An engine that only reads."""
    session_actor: Callable[[AsyncConnection, str], Awaitable[Actor | None]]
    """Who a session cookie's token stands for; None when it is unknown or expired."""
    key_actor: Callable[[AsyncConnection, str], Awaitable[Actor]]
    """Who an API key's token stands for; raises UnauthorizedError."""
    load_shop: Callable[[AsyncConnection], Awaitable[ShopFacts]]
    secret: bytes
    templates: Templates
    assets: Assets
    shop: ShopFacts = field(default_factory=UnknownShop)

    def __post_init__(self) -> None:
        """Derive what follows from the engine, and tell templates where the assets are."""
        self.begin: Begin = beginner(self.engine)
        self.read: Begin = beginner(self.reader)
        self.templates.environment.add_global("asset", self.assets.url)

    async def refresh_shop(self, db: AsyncConnection) -> None:
        """Learn the shop's facts anew, where the loader's cache has grown old."""
        self.shop = await self.load_shop(db)


def site(connection: Connection) -> Site:
    """The site that serves this request."""
    found: Site = connection.app.state.site
    return found


def notes(scope: Scope) -> dict[str, Any]:
    """The scope of a request as a place for what we note about it, under keys of our own."""
    return cast("dict[str, Any]", scope)


def known_actor(connection: Connection) -> Actor:
    """Who asks, as far as this request has found out; an anonymous customer before that."""
    actor: Actor = notes(connection.scope).get(ACTOR, ANONYMOUS)
    return actor
