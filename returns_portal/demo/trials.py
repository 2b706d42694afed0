"""Trials of the demo shop: one to be packed, one that runs, one that is settled."""

from typing import Final, NamedTuple

from sqlalchemy import text

import returns_portal.worker  # noqa: F401 - imported for the handlers that it registers
from returns_portal import clock, history
from returns_portal.actor import SYSTEM, Actor
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, drain, queue_app
from returns_portal.refunds.actions import receive
from returns_portal.settings import Settings
from returns_portal.tryon import deciding, placing, settling, shipping
from returns_portal.tryon.models import Decision, TrialStatus
from returns_portal.tryon.ordering import TrialInput, Wanted
from returns_portal.tryon.queries import TrialView, trial_for
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted

_DEMO: Final = Actor(kind="system", id="demo", grants=frozenset({"all"}))
T = TrialStatus


class _Customer(NamedTuple):
    """Who tries what, and how far it has come."""

    email: str
    name: str
    days: int
    until: TrialStatus


_CUSTOMERS: Final = (
    _Customer("yana@nordsund.example", "Яна Колева", 3, T.AUTHORISED),
    _Customer("petar@nordsund.example", "Петър Илиев", 7, T.DELIVERED),
    _Customer("lena@nordsund.example", "Lena Vogel", 3, T.SETTLED),
)
_ADDRESS: Final = {"line1": "бул. Витоша 12", "city": "София", "postal_code": "1000", "country": "BG"}
_TRIED: Final = "SELECT 1 FROM history WHERE subject = 'shop' AND action = 'demo_tried' LIMIT 1"
_SIZES: Final = """
    SELECT v.sku FROM variant v JOIN product p ON p.id = v.product_id
    WHERE p.handle = 'chelsea-boot' AND v.color = 'Black' AND v.stock > 3 ORDER BY v.position LIMIT 2
"""


async def try_some(context: JobContext, url: str) -> None:
    """Bring each customer's trial as far as it is meant to come; called again, it adds what is missing.

    What the gateway is to be asked for is asked here: no worker runs yet.
    """
    async with context.begin() as db:
        if (await db.execute(text(_TRIED))).first() is not None:
            return
    for customer in _CUSTOMERS:
        trial = await _placed(context, customer)
        await drain(queue_app(url, context))
        trial = await _seen(context, trial.number)
        if customer.until != T.AUTHORISED and trial.status == T.AUTHORISED:
            await _arrives(context, trial)
        if customer.until == T.SETTLED and (await _seen(context, trial.number)).status == T.DELIVERED:
            await _settles(context, trial, url)
    async with context.begin() as db:
        await history.record(db, SYSTEM, ("shop", new_id(), "demo_tried", {}))


async def _seen(context: JobContext, number: str) -> TrialView:
    async with context.begin() as db:
        return await trial_for(db, SYSTEM, number)


async def _placed(context: JobContext, customer: _Customer) -> TrialView:
    async with context.begin() as db:
        known = await db.execute(
            text("SELECT number FROM trial WHERE email_key = :email ORDER BY id LIMIT 1"), {"email": customer.email}
        )
        number = known.scalar_one_or_none()
        if number is not None:
            return await trial_for(db, SYSTEM, number)
        skus = (await db.execute(text(_SIZES))).scalars().all()
        wanted = TrialInput(
            email=customer.email,
            name=customer.name,
            shipping_address={"name": customer.name, **_ADDRESS},
            items=[Wanted(sku) for sku in skus],
            payment_method="pm_card_visa",
            trial_days=customer.days,
            terms="You pay for what you keep. What nothing is said of until the last day counts as kept.",
        )
        return await placing.place(db, _DEMO, context.service(Settings), wanted)


async def _arrives(context: JobContext, trial: TrialView) -> None:
    async with context.begin() as db:
        await shipping.ship(db, _DEMO, trial.number, carrier="Econt", tracking=f"10516027{trial.number[-4:]}")
        await shipping.deliver(db, _DEMO, trial.number, clock.now())


async def _settles(context: JobContext, trial: TrialView, url: str) -> None:
    """The first is kept, the others came back."""
    kept, *back = trial.items
    async with context.begin() as db:
        said = {kept.id: Decision.KEEP, **{item.id: Decision.RETURN for item in back}}
        view = await deciding.decide(db, _DEMO, trial.number, said)
        counts = [Counted(item.order_line_id, 1, Condition.RESELLABLE) for item in back]
        await receive(db, _DEMO, context.service(Settings), str(view.rma), counts)
        await settling.begin(db, _DEMO, trial.number, now_by_staff=True)
    await drain(queue_app(url, context))
