"""Paying the difference by card, or having it hold the price: a row first, the gateway without a lock, its answer once.

Whoever finds a row that was asked for before does not know what became of it, and looks for it by the row's id.
"""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.db import Begin, insert_rows, run
from returns_portal.errors import ConflictError
from returns_portal.exchanges.asking import CREATING, Asked, ask, create, customer_of
from returns_portal.exchanges.lending import let_go, new_charge
from returns_portal.exchanges.life import charge_to
from returns_portal.exchanges.models import OPEN_CHARGES, ChargeKind, ChargeStatus, ExchangeCharge, ExchangeStatus
from returns_portal.exchanges.queries import ChargeView, ExchangeView, exchange_for, open_charge
from returns_portal.exchanges.recording import follow, record
from returns_portal.i18n import mark
from returns_portal.jobs import JobContext, defer
from returns_portal.payments.gateway import GatewayRefusedError, GatewayUnknownError
from returns_portal.payments.stripe import StripeGateway

C = ChargeStatus
S = ExchangeStatus


async def pay(db: AsyncConnection, actor: Actor, number: str, payment_method: str | None) -> ExchangeView:
    """Begin to pay what is to be paid, or to have the price held of what is sent at once. Sent twice, it is begun once.

    `payment_method` is Stripe's; None where the customer's browser gives it to Stripe itself.

    Raises:
        NotFoundError: there is no such exchange, or it is not the actor's.
        ConflictError: nothing is to be paid for it (`nothing_to_pay`), or an earlier try has to be given up first
            (`being_given_up`).
    """
    exchange = await exchange_for(db, actor, number, lock=True)
    charge = exchange.charge if exchange.charge and exchange.charge.status in OPEN_CHARGES else None
    if exchange.paid_at is not None or (charge is not None and charge.status in CREATING):
        return exchange
    wanted = wanted_of(exchange)
    if wanted is None:
        raise ConflictError(mark("Nothing is to be paid for this exchange."), code="nothing_to_pay")
    if charge is not None:
        if payment_method is None and charge.status == C.ACTION_NEEDED:
            return exchange
        await _give_up(db, charge)
        return await exchange_for(db, actor, number)
    row = {
        **new_charge(exchange, *wanted, clock.now()),
        "status": C.SUBMITTING if payment_method else C.ACTION_NEEDED,
        "payment_method": payment_method,
    }
    told = ("exchange", exchange.id, "payment_begun", {"charge": str(row["id"])})
    await insert_rows(db, (ExchangeCharge, [row]), history.rows(actor, told))
    if payment_method:
        await defer(db, "exchanges.charge", charge_id=str(row["id"]))
    return await exchange_for(db, actor, number)


def wanted_of(exchange: ExchangeView) -> tuple[ChargeKind, int] | None:
    """What the customer is asked for now, and how much, in minor units; None where it is nothing."""
    if exchange.status is S.AWAITING_HOLD:
        return ChargeKind.HOLD, exchange.price
    if exchange.status is S.AWAITING_PAYMENT:
        return ChargeKind.PAYMENT, exchange.to_pay
    if exchange.due and exchange.covered_at is None and exchange.hold is None:
        return ChargeKind.PAYMENT, exchange.due
    return None


async def _give_up(db: AsyncConnection, charge: ChargeView) -> None:
    """What was begun is given up before anything else is, else both might be paid."""
    if charge.status == C.ACTION_NEEDED:
        await let_go(db, charge.id)


async def charge(context: JobContext, charge_id: UUID) -> None:
    """Ask the gateway for a payment, or what became of it. Run any number of times, it happens once.

    Raises:
        GatewayUnknownError: nobody knows; the same again looks first.
    """
    async with context.begin() as db:
        asked = await _take_up(db, charge_id)
    if asked is None:
        return
    gateway = context.service(StripeGateway)
    try:
        answer = await ask(context.begin, gateway, asked)
    except GatewayRefusedError as error:
        await _refused(context.begin, asked, error)
    except GatewayUnknownError:
        async with context.begin() as db:
            again = await open_charge(db, charge_id)
            if again is not None and again[1].status == C.SUBMITTING:
                await charge_to(db, charge_id, C.UNKNOWN)
        raise
    else:
        await record(context, charge_id, answer)


_BEGUN: Final = """
    UPDATE exchange_charge SET attempts = attempts + 1, submitted_at = coalesce(submitted_at, :now) WHERE id = :id
"""


async def _take_up(db: AsyncConnection, charge_id: UUID) -> Asked | None:
    found = await open_charge(db, charge_id)
    if found is None:
        return None
    exchange, known = found
    before = known.attempts > 0
    if not before and known.status in CREATING and not _is_wanted(exchange, known):
        await charge_to(db, known.id, C.CANCELED)
        return None
    if known.reference is None and known.status in {C.ACTION_NEEDED, C.CANCELING} and known.submitted_at is None:
        # The customer never began it, so that the gateway knows nothing of it.
        if known.status == C.CANCELING:
            await charge_to(db, known.id, C.CANCELED)
        return None
    if known.status in CREATING:
        await run(db, _BEGUN, id=charge_id, now=clock.now())
    return Asked(exchange, known, before or known.submitted_at is not None)


def _is_wanted(exchange: ExchangeView, known: ChargeView) -> bool:
    """Whether what was to be asked is still to be: it may have ended, or have come out, in between."""
    if known.unattended and known.kind is ChargeKind.HOLD:
        return exchange.at_once and exchange.status is not S.ENDED and exchange.outcome is None
    return wanted_of(exchange) is not None


async def _refused(begin: Begin, asked: Asked, error: GatewayRefusedError) -> None:
    async with begin() as db:
        found = await open_charge(db, asked.charge.id)
        if found is not None and found[1].status in CREATING:
            code = error.decline_code or error.code or "refused"
            await charge_to(db, asked.charge.id, C.FAILED, failure=code)
            await follow(db, found[0].id, found[1], C.FAILED)


_ASKED_FOR: Final = "UPDATE exchange_charge SET submitted_at = coalesce(submitted_at, :now) WHERE id = :id"
_REFERENCE: Final = "UPDATE exchange_charge SET reference = :reference WHERE id = :id AND reference IS NULL"


async def client_secret(begin: Begin, gateway: StripeGateway, charge_id: UUID) -> str:
    """With what the customer's browser confirms a payment that waits for them; made when it is first asked for.

    The caller has shown that the exchange is the customer's.

    Raises:
        ConflictError: it does not wait for the customer (any more).
        GatewayError: the gateway refused, or gave no answer.
    """
    async with begin() as db:
        found = await open_charge(db, charge_id)
        if found is None or found[1].status != C.ACTION_NEEDED:
            raise ConflictError(mark("Nothing waits for you here any more."), code="wrong_status")
        await run(db, _ASKED_FOR, id=charge_id, now=clock.now())
    exchange, known = found
    if known.reference is not None:
        return (await gateway.read_intent(known.reference)).client_secret
    before = known.submitted_at is not None
    customer = known.customer or await customer_of(begin, gateway, known, again=before)
    intent = await gateway.find_intent(customer, str(known.id), setup=False) if before else None
    intent = intent or await create(gateway, Asked(exchange, known, before), customer)
    async with begin() as db:
        await run(db, _REFERENCE, id=charge_id, reference=intent.id)
    return intent.client_secret
