"""Speaking to the whole application, as a browser and as a program do."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from httpx import Response
from litestar import Litestar, Router
from litestar.testing import AsyncTestClient
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.accounts import actions
from returns_portal.actor import SYSTEM
from returns_portal.app import assemble, create_app, furnish, secret_of
from returns_portal.db import Begin
from returns_portal.ids import new_id
from returns_portal.orders.models import Order
from returns_portal.settings import Settings
from returns_portal.web.signing import CSRF_COOKIE

Browser = AsyncTestClient[Litestar]

# Cookies of the `__Host-` kind are only sent back over https, also by the test client.
ORIGIN = "https://127.0.0.1"


_idle: dict[bytes, list[Litestar]] = {}


@contextmanager
def application(settings: Settings, database_url: str) -> Iterator[Litestar]:
    """The application; its routes are assembled once, and used by one test after the other."""
    secret = secret_of(settings)
    idle = _idle.setdefault(secret, [])
    app = idle.pop() if idle else assemble(secret)
    furnish(app, settings, database_url=database_url)
    try:
        yield app
    finally:
        idle.append(app)


@asynccontextmanager
async def browsing(settings: Settings, database_url: str, *more: Router) -> AsyncIterator[Browser]:
    """The running application, with more routes if wanted, and a browser that follows no redirect by itself."""
    with ExitStack() as stack:
        if more:
            app = create_app(settings, database_url=database_url)
            for router in more:
                app.register(router)
        else:
            app = stack.enter_context(application(settings, database_url))
        async with AsyncTestClient(app, base_url=ORIGIN, raise_server_exceptions=False) as client:
            client.follow_redirects = False
            yield client


async def send(client: Browser, path: str, fields: Mapping[str, Any], *, seen: str = "/sign-in") -> Response:
    """Send a form with the token of a page that was seen before."""
    if CSRF_COOKIE not in client.cookies:
        await client.get(seen)
    return await client.post(path, data={**fields, "_csrf_token": client.cookies[CSRF_COOKIE]})


async def add_order(db: AsyncConnection, number: str, email: str) -> UUID:
    """An order without lines: enough to come in for."""
    moment = datetime(2026, 11, 1, 9, tzinfo=UTC)
    identity = new_id()
    await db.execute(
        insert(Order).values(
            id=identity,
            number=number,
            email=email,
            email_key=email.lower(),
            name="Ana Petrova",
            phone="",
            locale="en",
            currency="EUR",
            placed_at=moment,
            financial_status="paid",
            fulfillment_status="fulfilled",
            address={},
            tax_included=True,
            total=0,
            order_discount=0,
            shipping_price=0,
            shipping_discount=0,
            shipping_tax=0,
            shipping_paid=0,
            shipping_refundable=0,
            source="api",
            fingerprint=b"",
            created_at=moment,
            updated_at=moment,
        )
    )
    return identity


PASSWORD = "correct horse battery"


async def add_staff(db: AsyncConnection, email: str, *roles: str) -> UUID:
    """A member of staff who can sign in with PASSWORD."""
    return await actions.add_staff(db, SYSTEM, email, "Mira", [*roles], PASSWORD)


async def staff_signs_in(browser: Browser, begin: Begin, *roles: str) -> None:
    """Let a new member of staff with these roles sign in."""
    async with begin() as db:
        await add_staff(db, f"{roles[0]}@shop.example", *roles)
    answer = await send(browser, "/sign-in", {"email": f"{roles[0]}@shop.example", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
