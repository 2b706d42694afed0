"""Jobs that ask Stripe about payments."""

from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.payments import actions, inbox
from returns_portal.payments.stripe import StripeGateway


@job("payments.create")
async def create(context: JobContext, payment_id: str) -> None:
    """Have the sandbox hold a payment."""
    await actions.create_in_sandbox(context.begin, context.service(StripeGateway), UUID(payment_id))


@job("payments.verify")
async def verify(context: JobContext, payment_id: str) -> None:
    """Verify a payment with Stripe."""
    await actions.verify(context.begin, context.service(StripeGateway), UUID(payment_id))


@job("payments.poll_events", cron="* * * * *")
async def poll_events(context: JobContext) -> None:
    """Ask for events that were not delivered."""
    await inbox.poll(context.begin, context.service(StripeGateway))


@job("payments.forget_bodies", cron="17 3 * * *")
async def forget_bodies(context: JobContext) -> None:
    """Delete the bytes of old events."""
    await inbox.forget_bodies(context.begin)
