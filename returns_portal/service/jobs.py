"""The jobs of questions: reading the mailbox, and forgetting whose e-mails led nowhere."""

from returns_portal.jobs import JobContext, job
from returns_portal.service.composing import forget_drafts
from returns_portal.service.presence import forget_absent
from returns_portal.service.receiving import forget_senders, receive
from returns_portal.settings import Settings


@job("service.forget_senders", cron="41 4 * * * 0")
async def forget(context: JobContext) -> None:
    """Forget who sent what belongs to no thread, letters that were never sent, and who had what open."""
    async with context.begin() as db:
        await forget_senders(db)
        await forget_drafts(db)
        await forget_absent(db)


@job("service.read_mail", cron="* * * * * */30", attempts=1)
async def read_mail(context: JobContext) -> None:
    """Take what has come, where there is a mailbox."""
    settings = context.service(Settings)
    if settings.imap_url is not None:
        await receive(context.begin, settings)
