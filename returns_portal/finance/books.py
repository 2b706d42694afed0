"""Proving the books: every invariant is asked of the database, and what breaks one is shown."""

from typing import Final

import click
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.db import Begin, beginner, create_engine
from returns_portal.embedded import database_url
from returns_portal.finance.invariants import INVARIANTS, SHOWN, Breach, Invariant
from returns_portal.finance.reconcile import check_gateway
from returns_portal.finance.reconcile_trials import check_trials
from returns_portal.payments.gateway import GatewayError
from returns_portal.payments.stripe import StripeGateway
from returns_portal.settings import Settings

__all__ = ["Breach", "check", "check_gateway", "check_trials", "run_check_books"]

BROKEN: Final = 1
NOT_PROVEN: Final = 2
"""Exit codes: an invariant is broken; the gateway did not answer, so that nothing is known of it."""


async def check(begin: Begin) -> list[Breach]:
    """Ask every invariant; empty where the books are in order. Changes nothing."""
    async with begin() as db:
        # The nightly proof of a large shop takes longer than any request may.
        await db.execute(text("SET TRANSACTION READ ONLY"))
        await db.execute(text("SET LOCAL statement_timeout = '30min'"))
        await db.execute(text("SET LOCAL work_mem = '64MB'"))
        asked = [await _ask(db, invariant) for invariant in INVARIANTS]
    return [breach for breach in asked if breach is not None]


async def _ask(db: AsyncConnection, invariant: Invariant) -> Breach | None:
    found = await db.execute(
        text(f"SELECT *, count(*) OVER () AS in_all FROM ({invariant.sql}) AS broken LIMIT {SHOWN}"),  # noqa: S608 - our own queries
        {"late": clock.minutes_ago(60)},
    )
    rows = [dict(row) for row in found.mappings()]
    if not rows:
        return None
    counts = [row.pop("in_all") for row in rows]
    return Breach(invariant.name, invariant.sentence, counts[0], rows)


async def run_check_books(settings: Settings, *, gateway: bool) -> int:
    """Prove the books and print what breaks them; with `gateway`, beside the gateway's own. Returns the exit code.

    The database has to be running.
    """
    engine = create_engine(database_url(settings), size=2, name="returns-portal check-books")
    begin = beginner(engine)
    try:
        breaches = await check(begin)
        if gateway:
            async with StripeGateway(key=settings.stripe_key, base=settings.stripe_base) as stripe:
                breaches += await check_gateway(begin, stripe) + await check_trials(begin, stripe)
    except GatewayError as error:
        click.echo(f"The gateway did not answer, so nothing is proven: {error}", err=True)
        return NOT_PROVEN
    finally:
        await engine.dispose()
    for breach in breaches:
        _print(breach)
    if not breaches:
        click.echo("The books are in order." + (" The gateway agrees." if gateway else ""))
    return BROKEN if breaches else 0


def _print(breach: Breach) -> None:
    click.echo(f"BROKEN {breach.invariant}: {breach.sentence} ({breach.count})")
    for row in breach.rows:
        click.echo("    " + "  ".join(f"{name}={value}" for name, value in row.items()))
    if breach.count > len(breach.rows):
        click.echo(f"    … and {breach.count - len(breach.rows)} more")
