"""The jobs of refunds."""

from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.refunds import disputed, exchanges, late, pace, reading, settling


@job("refunds.submit", attempts=40)
async def submit(context: JobContext, refund_id: str) -> None:
    """Make one refund happen."""
    await settling.submit(context, UUID(refund_id))


@job("refunds.poll", cron="* * * * * */15")
async def poll(context: JobContext) -> None:
    """Ask the gateway about what it has not finished."""
    await settling.poll(context)


@job("refunds.read_event", attempts=40)
async def read_event(context: JobContext, event_id: str) -> None:
    """Derive from the gateway what an event told of."""
    await reading.read_event(context, UUID(event_id))


@job("refunds.read_refund", attempts=40)
async def read_refund(context: JobContext, gateway_id: str) -> None:
    """Read a refund, which may have been made elsewhere."""
    await reading.read(context, "refund", gateway_id)


@job("refunds.read_dispute", attempts=40)
async def read_dispute(context: JobContext, gateway_id: str) -> None:
    """Read a dispute."""
    await disputed.read(context, gateway_id)


@job("refunds.read_disputes", attempts=40)
async def read_disputes(context: JobContext, payment_id: str) -> None:
    """Read the disputes of a payment that has just become known."""
    await reading.read_disputes(context, UUID(payment_id))


@job("refunds.end_exchange", attempts=40)
async def end_exchange(context: JobContext, exchange_id: str) -> None:
    """Give back what an exchange that did not come about leaves owed."""
    await exchanges.end_exchange(context, UUID(exchange_id))


@job("refunds.release_late", attempts=40)
async def release_late(context: JobContext, order_id: str, line_id: str) -> None:
    """Refund what was counted of a line before it was paid for."""
    await late.release_line(context, UUID(order_id), UUID(line_id))


@job("refunds.sweep", cron="* * * * *")
async def sweep(context: JobContext) -> None:
    """Look for refunds that were made elsewhere and told of by nobody."""
    await reading.sweep(context)


@job("refunds.sweep_disputes", cron="7 * * * *")
async def sweep_disputes(context: JobContext) -> None:
    """Look for disputes that nobody told of, and for what became of the open ones."""
    await reading.sweep_disputes(context)


@job("refunds.measure_pace", cron="20 * * * *")
async def measure_pace(context: JobContext) -> None:
    """Measure how long parcels travel and refunds take."""
    await pace.measure(context.begin)
