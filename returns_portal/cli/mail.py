"""The commands about e-mails that could not be sent."""

from uuid import UUID

import click

from returns_portal.cli.running import OPERATOR, in_transaction
from returns_portal.notifications.actions import retry
from returns_portal.notifications.queries import failed


@click.group()
def mail() -> None:
    """Show e-mails that could not be sent, and send them again."""


@mail.command("failed")
def list_failed() -> None:
    """List what was given up, the newest first: id, when, template, tries, reason. Addresses are not shown."""
    for letter in in_transaction(lambda db: failed(db, OPERATOR)):
        moment = letter.created_at.isoformat(timespec="seconds")
        click.echo(f"{letter.id}  {moment}  {letter.template}  {letter.attempts}  {letter.error}")


@mail.command("retry")
@click.argument("email_id", type=click.UUID)
def retry_one(email_id: UUID) -> None:
    """Queue an e-mail again that was given up."""
    in_transaction(lambda db: retry(db, OPERATOR, email_id))
    click.echo("It is queued again.")
