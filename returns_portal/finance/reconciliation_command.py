"""Reconciliation from the command line: what does not agree, one difference a line."""

from collections.abc import AsyncIterator
from datetime import UTC
from typing import Final

import click

from returns_portal.actor import SYSTEM
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.embedded import database_url
from returns_portal.finance.filters import period
from returns_portal.finance.matching_differences import Asked, Difference, Kind, Place, differences
from returns_portal.finance.reconciliation import Run, asked, reconcile, unhurried, usual_period
from returns_portal.finance.reconciliation_view import Reconciled, reconciled
from returns_portal.money import Money
from returns_portal.payments.gateway import GatewayError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings
from returns_portal.shop.queries import current

AGREES: Final = 0
DIFFERS: Final = 1
NOT_COMPARED: Final = 2
"""Exit codes."""

_PAGE: Final = 500
_WORDS: Final = {
    Kind.MISSING_THERE: "MISSING AT STRIPE",
    Kind.MISSING_HERE: "MISSING HERE",
    Kind.AMOUNT: "AMOUNT DIFFERS",
    Kind.CURRENCY: "CURRENCY DIFFERS",
    Kind.PAYOUT: "PAYOUT DIFFERS",
}


async def run_reconcile(settings: Settings, *, first: str | None, last: str | None) -> int:
    """Reconcile these days, and print what came of it. Returns the exit code. The database has to be running.

    Raises:
        InvalidError: a day is none, or the first is after the last.
    """
    engine = create_engine(database_url(settings), size=2, name="returns-portal reconcile")
    begin = beginner(engine)
    try:
        async with begin() as db:
            zone = (await current(db)).timezone
        days = period(first, last, zone) if first or last else usual_period(zone)
        async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as stripe:
            done = await reconcile(begin, stripe, days)
        question = asked(*days, zone, read_at=done.at, livemode=settings.livemode)
        async for difference in _all(begin, question):
            click.echo(_line(difference))
        async with begin() as db:
            await unhurried(db)
            view = await reconciled(db, SYSTEM, days, zone, livemode=settings.livemode)
    except GatewayError as error:
        click.echo(f"Stripe did not answer, so nothing was compared: {error}", err=True)
        return NOT_COMPARED
    finally:
        await engine.dispose()
    if view is not None:
        _sum_up(done, view, livemode=settings.livemode)
    return DIFFERS if done.differences else AGREES


async def _all(begin: Begin, question: Asked) -> AsyncIterator[Difference]:
    """Every difference, a page at a time."""
    after: Place | None = None
    while True:
        async with begin() as db:
            await unhurried(db)
            page = (await differences(db, question, limit=_PAGE, after=after)).page
        for difference in page:
            yield difference
        if len(page) < _PAGE:
            return
        after = (page[-1].at, page[-1].key)


def _line(found: Difference) -> str:
    """One difference in one line: what, when, how much on either side, and by which ids it is found."""
    at = found.at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    facts = {
        "ours": _amount(found.ours, found.our_currency),
        "stripe": _amount(found.theirs, found.their_currency),
        "order": found.order_number,
        "refund": found.refund_id,
        "dispute": found.dispute_id,
        "source": found.source,
        "line": found.line_id,
        "payout": found.payout_id,
    }
    told = "  ".join(f"{name}={value}" for name, value in facts.items() if value is not None)
    return f"{_WORDS[found.kind]}  {found.what}  {at}  {told}"


def _amount(minor: int | None, currency: str | None) -> str | None:
    return None if minor is None or currency is None else f"{Money(minor, currency).decimal} {currency}"


def _sum_up(done: Run, view: Reconciled, *, livemode: bool) -> None:
    """Say on standard error what was compared: standard output has the differences alone."""
    head = f"{done.differences} do not agree." if done.differences else "All agrees."
    fees = ", ".join(f"{Money(fee, currency).decimal} {currency}" for currency, fee in view.fees.items()) or "none"
    click.echo(head if livemode else f"{head} Sandbox: no money moves.", err=True)
    click.echo(
        f"{done.first} to {done.last}: {view.matched} postings matched, {view.waiting} too new to tell,"
        f" {view.open.get('under_way', 0)} under way at the bank. Fees: {fees}.",
        err=True,
    )
