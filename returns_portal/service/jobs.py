"""The job that reads the mailbox."""

from returns_portal.jobs import JobContext, job
from returns_portal.service.receiving import receive
from returns_portal.settings import Settings


@job("service.read_mail", cron="* * * * * */30", attempts=1)
async def read_mail(context: JobContext) -> None:
    """Take what has come, where there is a mailbox."""
    settings = context.service(Settings)
    if settings.imap_url is not None:
        await receive(context.begin, settings)
