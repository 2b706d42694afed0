"""The jobs of finance."""

from uuid import UUID

from returns_portal.finance import closed_files, credit_notes, deadlines, exporting, proofs, reconciliation
from returns_portal.jobs import JobContext, job
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings


@job("finance.number_credit_notes", cron="* * * * * */20")
async def number_credit_notes(context: JobContext) -> None:
    """Give numbers to the credit notes of what has succeeded."""
    await credit_notes.issue(context.begin)


@job("finance.number_missed", cron="15 2 * * *")
async def number_missed(context: JobContext) -> None:
    """Look for credit notes that were passed over, in all the books."""
    await credit_notes.issue(context.begin, everything=True)


@job("finance.prove_books", cron="30 2 * * *")
async def prove_books(context: JobContext) -> None:
    """Prove the books, and keep what was found."""
    await proofs.prove(context.begin)


@job("finance.write_export")
async def write_export(context: JobContext, export_id: str) -> None:
    """Write a report that somebody asked for."""
    await exporting.write(context, UUID(export_id))


@job("finance.write_closed")
async def write_closed(context: JobContext, period_id: str) -> None:
    """Write the files of a closed month."""
    await closed_files.write_closed(context.begin, UUID(period_id), livemode=context.service(Settings).livemode)


@job("finance.tidy", cron="45 2 * * *")
async def tidy(context: JobContext) -> None:
    """Delete old exports."""
    await exporting.tidy(context)


@job("finance.reconcile", cron="50 2 * * *")
async def reconcile(context: JobContext) -> None:
    """Compare the ledger with the gateway's balance."""
    await reconciliation.reconcile(context.begin, context.service(StripeGateway))


@job("finance.warn_deadlines", cron="0 4 * * *")
async def warn_deadlines(context: JobContext) -> None:
    """Tell the shop of refunds that the law wants within days, before its people come in."""
    await deadlines.warn(context.begin)
