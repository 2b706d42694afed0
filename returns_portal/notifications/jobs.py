"""The job that delivers e-mails."""

from uuid import UUID

from returns_portal.jobs import JobContext, job
from returns_portal.notifications import texting
from returns_portal.notifications.delivery import deliver_due
from returns_portal.notifications.mailer import Mailer


@job("notifications.deliver", cron="* * * * * */2", attempts=1)
async def deliver(context: JobContext) -> None:
    """Send what is due. One job for all e-mails, since writing a job for each would double their cost."""
    await deliver_due(context.begin, context.service(Mailer))


@job("notifications.send_sms", attempts=8)
async def send_sms(context: JobContext, sms_id: str) -> None:
    """Send an SMS."""
    await texting.send(context, UUID(sms_id))
