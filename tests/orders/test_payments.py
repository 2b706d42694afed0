"""Payments are made in the sandbox, or verified with it, once, whatever happens on the way."""

from typing import Any
from uuid import UUID

import pytest
import stripe
from sqlalchemy import text

import returns_portal.payments.jobs  # noqa: F401 - registers the jobs that are looked up here
from returns_portal.actor import SYSTEM
from returns_portal.db import Begin
from returns_portal.errors import ConflictError
from returns_portal.ids import new_id
from returns_portal.jobs import JobContext, registry
from returns_portal.orders.actions import put_order
from returns_portal.orders.intake import OrderInput, PaymentInput
from returns_portal.payments import actions, queries
from returns_portal.payments.gateway import GatewayUnknownError
from returns_portal.payments.models import PaymentStatus, Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from tests.orders.samples import a_line, an_order, file_return
from tests.payments.conftest import Pay, pay, sdk
from tests.sandboxes import SandboxProcess

__all__ = ["pay", "sdk"]

pytestmark = pytest.mark.anyio


class Shop:
    """A shop with its database and its gateway."""

    def __init__(self, begin: Begin, settings: Settings, gateway: StripeGateway) -> None:
        self.begin = begin
        self.settings = settings
        self.gateway = gateway

    async def paid(self, order: OrderInput) -> UUID:
        """Take an order in, and return its payment's id."""
        async with self.begin() as db:
            put = await put_order(db, SYSTEM, self.settings, order)
            [payment] = await queries.of_order(db, put.order_id)
        return UUID(str(payment.id))

    async def referring_to(self, reference: str, **payment: Any) -> UUID:  # noqa: ANN401 - the fields of a payment
        """An order of 10.00 whose payment is to be found at Stripe."""
        line = a_line(quantity=1, unit_price=510, tax=0)
        payments = [PaymentInput(tender=Tender.STRIPE, amount=1000, reference=reference, **payment)]
        return await self.paid(an_order(lines=[line], payments=payments))

    async def run(self, job: str, payment: UUID) -> Any:  # noqa: ANN401 - a row
        """Run a job as the worker does, and return the payment as it is afterwards."""
        await registry[job].handler(JobContext(self.begin, self.gateway), payment_id=str(payment))
        return await self.payment(payment)

    async def payment(self, payment: UUID) -> Any:  # noqa: ANN401 - a row
        async with self.begin() as db:
            found = await queries.by_id(db, payment)
        assert found is not None
        return found

    async def history(self, payment: UUID) -> list[tuple[str, dict[str, str]]]:
        async with self.begin() as db:
            rows = await db.execute(
                text("SELECT action, data FROM history WHERE subject_id = :id ORDER BY at"), {"id": payment}
            )
            return [tuple(row) for row in rows]


@pytest.fixture
def shop(begin: Begin, settings: Settings, gateway: StripeGateway) -> Shop:
    return Shop(begin, settings, gateway)


async def test_a_payment_is_made_in_the_sandbox_once(shop: Shop) -> None:
    payment = await shop.paid(an_order())
    made = await shop.run("payments.create", payment)
    assert (made.status, made.card_brand, made.card_last4) == ("captured", "visa", "4242")
    assert await shop.run("payments.create", payment) == made
    read = await shop.gateway.read_payment(made.reference)
    assert (read.captured, read.currency, read.refunded) == (32290, "EUR", 0)
    assert await shop.history(payment) == [("captured", {})]


async def test_what_was_refunded_before_is_refunded_in_the_sandbox_too(shop: Shop) -> None:
    before = PaymentInput(tender=Tender.STRIPE, amount=32290, refunded_before=6458)
    payment = await shop.paid(an_order(payments=[before]))
    made = await shop.run("payments.create", payment)
    assert (made.status, made.refunded_before) == ("captured", 6458)
    assert (await shop.gateway.read_payment(made.reference)).refunded == 6458


async def test_a_lost_answer_leads_to_the_same_payment_when_the_job_runs_again(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    payment = await shop.paid(an_order(payments=[PaymentInput(tender=Tender.STRIPE, amount=32290, refunded_before=90)]))
    sandbox.control("faults", kind="drop", method="POST", path="/v1/payment_intents", times=3)
    with pytest.raises(GatewayUnknownError):
        await shop.run("payments.create", payment)
    assert (await shop.payment(payment)).status == "creating"
    made = await shop.run("payments.create", payment)
    assert made.status == "captured"
    assert (await shop.gateway.read_payment(made.reference)).refunded == 90


async def test_a_refusal_is_recorded_with_its_reason(shop: Shop) -> None:
    # Stripe takes at most eight digits.
    line = a_line(quantity=1, unit_price=10**11, tax=0)
    payment = await shop.paid(an_order(lines=[line]))
    assert (await shop.run("payments.create", payment)).status == "failed"
    assert await shop.history(payment) == [("failed", {"reason": "amount_too_large"})]


async def test_a_reference_is_verified_and_tells_card_and_refunds(
    shop: Shop, pay: Pay, sdk: stripe.StripeClient
) -> None:
    intent = pay(1000)
    sdk.v1.refunds.create({"payment_intent": intent.id, "amount": 300})
    verified = await shop.run("payments.verify", await shop.referring_to(intent.id))
    assert (verified.status, verified.refunded_before, verified.card_last4) == ("captured", 300, "4242")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"amount": 999}, "amount_differs"),
        ({"currency": "usd"}, "currency_differs"),
        ({"capture_method": "manual"}, "not_captured"),
    ],
)
async def test_what_is_not_this_payment_captured_is_refused(
    shop: Shop, pay: Pay, made: dict[str, Any], reason: str
) -> None:
    payment = await shop.referring_to(pay(**made).id)
    assert (await shop.run("payments.verify", payment)).status == "failed"
    assert await shop.history(payment) == [("failed", {"reason": reason})]


async def test_a_payment_that_failed_can_be_tried_again(shop: Shop, pay: Pay, sdk: stripe.StripeClient) -> None:
    intent = pay(capture_method="manual")
    payment = await shop.referring_to(intent.id)
    assert (await shop.run("payments.verify", payment)).status == "failed"
    assert (await shop.run("payments.verify", payment)).status == "failed"
    sdk.v1.payment_intents.capture(intent.id)
    assert (await shop.run("payments.verify", payment)).status == "captured"
    assert [action for action, _ in await shop.history(payment)] == ["failed", "captured"]


async def test_a_reference_that_stripe_does_not_know_fails(shop: Shop) -> None:
    payment = await shop.referring_to("pi_of_nobody")
    assert (await shop.run("payments.verify", payment)).status == "failed"


async def test_a_reference_of_a_file_that_stripe_does_not_know_is_another_accounts_money(shop: Shop) -> None:
    payment = await shop.referring_to("pi_elsewhere", imported_reference="pi_elsewhere", method="Stripe")
    external = await shop.run("payments.verify", payment)
    assert (external.status, external.tender, external.reference) == ("captured", "external", None)
    assert external.imported_reference == "pi_elsewhere"


async def test_refunds_that_waited_for_the_payment_go_on(shop: Shop) -> None:
    payment = await shop.paid(an_order())
    async with shop.begin() as db:
        order_id = (await queries.by_id(db, payment, lock=True)).order_id
        line_id = await db.scalar(text("SELECT id FROM order_line"))
        await file_return(db, order_id, line_id, 1)
        values = {"id": new_id(), "parcel": new_id(), "order": order_id, "payment": payment}
        await db.execute(
            text(
                "INSERT INTO parcel (id, return_id, number, checked_in_at, checked_in_by, note, undone_by)"
                " SELECT :parcel, id, 1, now(), 'system', '', '' FROM returns"
            ),
            values,
        )
        await db.execute(
            text(
                "INSERT INTO refund (id, order_id, return_id, parcel_id, release_id, kind, reason, payment_id, status,"
                " destination, currency, amount, bonus, tax, shipping, attempt, gateway_reference, failure_reason,"
                " livemode, requested_at, created_at, due_at, changed_at) SELECT :id, :order, id, :parcel, :parcel,"
                " 'return', '', :payment, 'planned', 'original', 'EUR', 15900, 0, 0, 0, 1, '', '', false, now(),"
                " now(), now(), now() FROM returns"
            ),
            values,
        )
    await shop.run("payments.create", payment)
    async with shop.begin() as db:
        jobs = list(await db.execute(text("SELECT args FROM procrastinate_jobs WHERE task_name = 'refunds.submit'")))
    assert [job.args for job in jobs] == [{"refund_id": str(values["id"])}]


async def test_a_captured_payment_stays_captured(shop: Shop) -> None:
    payment = await shop.paid(an_order(payments=[PaymentInput(tender=Tender.EXTERNAL, amount=32290)]))
    async with shop.begin() as db:
        locked = await queries.by_id(db, payment, lock=True)
        assert locked is not None
        with pytest.raises(ConflictError):
            await actions.move_to(db, SYSTEM, locked, PaymentStatus.FAILED)


async def test_a_job_for_a_payment_that_is_gone_does_nothing(shop: Shop) -> None:
    for job in ("payments.create", "payments.verify"):
        await registry[job].handler(JobContext(shop.begin, shop.gateway), payment_id=str(new_id()))
