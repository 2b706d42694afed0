"""The demo shop: a year of orders that ends yesterday, people who work there, and returns in every state.

It exists only where no money moves and nobody else can look: sandbox, loopback and embedded database together.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import history
from returns_portal.accounts.actions import add_staff
from returns_portal.actor import SYSTEM, Actor
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.demo.asking import look_around
from returns_portal.demo.dates import loading_day, moved_file
from returns_portal.demo.goods import stock
from returns_portal.demo.sales import parcel_of
from returns_portal.demo.thanking import thank
from returns_portal.demo.trials import try_some
from returns_portal.demo.year import live
from returns_portal.embedded import database_url, home_for, secret_key
from returns_portal.errors import ConflictError
from returns_portal.ids import new_id
from returns_portal.insights.fitting import measure_all
from returns_portal.jobs import JobContext
from returns_portal.notifications.mailer import Mailer
from returns_portal.orders.importing import import_orders
from returns_portal.payments.stripe import StripeGateway
from returns_portal.refunds.actions import receive
from returns_portal.refunds.filing import file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.settings import Settings
from returns_portal.shop.actions import update_shop
from returns_portal.shop.confirming import Confirming
from returns_portal.shop.hours import Channel, Hours
from returns_portal.shop.queries import current
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted

ORDERS: Final = Path(__file__).with_name("orders.csv")

STAFF: Final = (
    ("warehouse@nordsund.example", "Irina", ["warehouse"], "demo-warehouse"),
    ("finance@nordsund.example", "Mira", ["finance"], "demo-finance"),
    ("support@nordsund.example", "Stefan", ["support"], "demo-support"),
    ("admin@nordsund.example", "Alex", ["admin"], "demo-admin-all"),
)
"""E-mail, name, roles, and the password that is printed at start."""

_DOORS: Final = ("/station", "/finance", "/finance/decisions", "/finance")
"""Where each of them begins."""

_CONDITIONS: Final = (Condition.RESELLABLE, Condition.WORN, Condition.DAMAGED, Condition.RESELLABLE, None, None, None)
"""What becomes of the demo's returns, in turn; None is still on its way."""
_REASONS: Final = ("", "Too small at the toes", "", "Zu klein", "The colour is different", "Твърде големи", "")
"""What its customers say, in turn; most say nothing."""
_DAY: Final = ((9 * 60, 18 * 60),)
HOURS: Final = Hours(
    phone=Channel(week=(_DAY, _DAY, _DAY, _DAY, _DAY, (), ())),
    written=Channel(week=(_DAY, _DAY, _DAY, _DAY, _DAY, ((10 * 60, 14 * 60),), ())),
)
"""When somebody is there."""
CONFIRMING: Final = Confirming(
    order_received_mail=True,
    call_new_customers=True,
    call_unclear_addresses=True,
    call_from={"EUR": 300_00},
    sms_service_messages=True,
)


def load(settings: Settings) -> None:
    """Fill the demo shop, once; called again (also after a crash in the middle) it adds only what is missing.

    Raises:
        ValueError: this is no demo.
    """
    if not settings.is_demo:
        raise ValueError("the demo needs sandbox, loopback and the embedded database")
    asyncio.run(_load(_with_key(settings)))


def _with_key(settings: Settings) -> Settings:
    """With the key that seals the links of the year's e-mails: the process that loads the demo has not read it."""
    if settings.secret_key is not None:
        return settings
    return settings.model_copy(update={"secret_key": SecretStr(secret_key(home_for(settings)))})


async def _load(settings: Settings) -> None:
    engine = create_engine(database_url(settings), size=2, name="returns-portal demo")
    begin = beginner(engine)
    try:
        async with begin() as db:
            loaded = await _is_loaded(db)
        if not loaded:
            await _load_orders(begin, settings)
        # By itself: a demo that was loaded by an earlier version has no goods yet.
        await stock(begin)
        await look_around(begin, settings)
        if not loaded:
            # Customers are told today which goods run small, and not after tonight.
            await measure_all(begin)
        gateway = StripeGateway(key=settings.stripe_key, base=settings.stripe_base)
        await try_some(JobContext(begin, settings, gateway, Mailer(settings)), database_url(settings))
    finally:
        await engine.dispose()


async def _load_orders(begin: Begin, settings: Settings) -> None:
    async with begin() as db:
        await update_shop(db, SYSTEM, hours=HOURS, confirming=CONFIRMING)
        await thank(db)
        day = await loading_day(db)
    await _hire(begin)
    with moved_file(ORDERS, day) as path:
        await import_orders(
            begin,
            path,
            fmt="shopify",
            dry_run=False,
            sandbox_payments=True,
            settings=settings,
            progress=lambda _done, _whole: None,
        )
    await live(begin, settings, day)
    await _return_some(begin, settings)
    async with begin() as db:
        # That it has a year, too: `look_around` asks, and one of an earlier version has none.
        await history.record(db, SYSTEM, ("shop", new_id(), "demo_lived", {}), ("shop", new_id(), "demo_loaded", {}))


async def _is_loaded(db: AsyncConnection) -> bool:
    found = await db.execute(text("SELECT 1 FROM history WHERE subject = 'shop' AND action = 'demo_loaded' LIMIT 1"))
    return found.first() is not None


async def _hire(begin: Begin) -> None:
    for email, name, roles, password in STAFF:
        try:
            async with begin() as db:
                await add_staff(db, SYSTEM, email, name, roles, password)
        except ConflictError:
            continue  # An earlier start was interrupted after this one was hired.


async def _return_some(begin: Begin, settings: Settings) -> None:
    """File returns for some orders, and check some of the parcels in."""
    async with begin() as db:
        rows = (
            await db.execute(
                text(
                    "SELECT o.number FROM orders o WHERE o.financial_status = 'paid' AND o.cancelled_at IS NULL"
                    " AND o.fulfillment_status = 'fulfilled' AND NOT EXISTS"
                    " (SELECT 1 FROM returns r WHERE r.order_id = o.id)"
                    # Numbers of more digits are the newer ones.
                    " ORDER BY length(o.number) DESC, o.number DESC LIMIT 14"
                )
            )
        ).all()
    for index, row in enumerate(rows):
        refund_to = RefundTo.POINTS if index % 4 == 1 else RefundTo.ORIGINAL
        condition, reason = _CONDITIONS[index % len(_CONDITIONS)], _REASONS[index % len(_REASONS)]
        async with begin() as db:
            await _return_one(db, settings, row.number, refund_to, condition, reason)


async def _return_one(
    db: AsyncConnection, settings: Settings, number: str, refund_to: RefundTo, condition: Condition | None, reason: str
) -> None:
    line = await _first_line(db, number)
    wanted = [Wanted(line.id, 1, reason)]
    filed = await file(db, Actor(kind="system", id="demo"), settings, await current(db), number, wanted, refund_to)
    if condition is not None:
        counted, around = [Counted(line.id, 1, condition)], Circumstances(warehouse=parcel_of(number)[1])
        await receive(db, Actor(kind="system", id="demo"), settings, filed.rma, counted, around=around)


async def _first_line(db: AsyncConnection, number: str) -> Any:  # noqa: ANN401 - a row
    found = await db.execute(
        text(
            "SELECT l.id FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.number = :number"
            " ORDER BY l.position LIMIT 1"
        ),
        {"number": number},
    )
    return found.one()


def welcome(settings: Settings) -> str:
    """Where to click, for each who uses the portal."""
    here = settings.public_url
    if not settings.is_demo:
        return f"The portal is at {here}"
    customers = asyncio.run(_customers(settings))
    lines = [
        f"The demo shop is at {here} (sandbox: no money moves)",
        "",
        f"  Shop       {here}/shop",
        "",
        f"  Customer   {here}/",
        *(f"             order {number}, e-mail {email}" for number, email in customers),
        f"             the code arrives at {here}/outbox",
    ]
    for (email, _name, roles, password), path in zip(
        STAFF, ("/station", "/finance", "/finance/decisions", "/"), strict=True
    ):
        lines.append(f"  {roles[0].capitalize():<10} {here}{path}  {email}  {password}")
    return "\n".join([*lines, f"  API        {here}/schema", ""])


async def _customers(settings: Settings) -> Sequence[tuple[str, str]]:
    engine = create_engine(database_url(settings), size=1, name="returns-portal demo")
    try:
        async with beginner(engine)() as db:
            rows = await db.execute(
                text(
                    "SELECT o.number, o.email FROM orders o JOIN payment p ON p.order_id = o.id"
                    " AND p.tender = 'stripe' WHERE o.financial_status = 'paid'"
                    " AND o.fulfillment_status = 'fulfilled' AND o.cancelled_at IS NULL"
                    " AND NOT EXISTS (SELECT 1 FROM returns r WHERE r.order_id = o.id) ORDER BY o.number LIMIT 2"
                )
            )
            return [(row.number, row.email) for row in rows]
    finally:
        await engine.dispose()
