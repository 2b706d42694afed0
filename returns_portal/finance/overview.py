"""The finance page as it is shown: the form's choices, the figures, the chart, the rows, the links."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock
from returns_portal.actor import Actor
from returns_portal.db import raw_connection
from returns_portal.errors import InvalidError
from returns_portal.finance import words
from returns_portal.finance.chart import Bar, bars
from returns_portal.finance.filters import Basis, Filters, period, today
from returns_portal.finance.report import Place, ReportRow, Total, moment_column, page_rows, sums_by_day, totals
from returns_portal.i18n import _, mark, ngettext
from returns_portal.money import is_currency
from returns_portal.refunds.models import Destination, RefundStatus
from returns_portal.web import formats

PAGE: Final = 100


class Figure(msgspec.Struct, frozen=True):
    """A sum at a glance, one amount a currency."""

    text: str
    amounts: list[str]
    note: str
    kind: str = ""


class Overview(msgspec.Struct, frozen=True):
    """What the page shows below the tasks."""

    filters: Filters
    heading: str
    presets: list[tuple[str, str, bool]]
    """Text, query string, and whether it is what is shown."""
    figures: list[Figure]
    totals: Sequence[Total]
    currencies: list[str]
    chart: list[Bar]
    chart_currency: str
    rows: Sequence[ReportRow]
    query: str
    """The query string of what is shown, for the files."""
    wanted: list[tuple[str, str]]
    """The same as fields of a form."""
    next_query: str
    first_query: str


def read_filters(query: Mapping[str, str], zone: str) -> Filters:
    """What the form's fields, or the JSON API's parameters, ask for.

    Raises:
        InvalidError: a field says nothing possible; it is named.
    """
    first, last = period(query.get("from") or None, query.get("to") or None, zone)
    currency = query.get("currency") or None
    if currency is not None and not is_currency(currency):
        raise InvalidError(mark("This is no currency."), field="currency")
    return Filters(
        first=first,
        last=last,
        zone=zone,
        basis=_one_of(Basis, query, "basis") or Basis.SUCCESS,
        status=_one_of(RefundStatus, query, "status"),
        destination=_one_of(Destination, query, "destination"),
        currency=currency,
    )


Kind = TypeVar("Kind", bound=StrEnum)


def _one_of(kind: type[Kind], query: Mapping[str, str], field: str) -> Kind | None:
    value = query.get(field)
    if not value:
        return None
    try:
        return kind(value)
    except ValueError:
        raise InvalidError(
            mark("This is none of: {choices}."), field=field, choices=", ".join(member.value for member in kind)
        ) from None


async def overview(db: AsyncConnection, actor: Actor, filters: Filters, after: str | None) -> Overview:
    """Read what the page shows.

    Raises:
        ForbiddenError: the actor is not of finance.
        InvalidError: `after` is no place where a page ended.
    """
    actor.require("finance")
    driver = await raw_connection(db)
    # A period may be a day or ten years: such a statement is worth a plan of its own.
    await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    every = await totals(driver, msgspec.structs.replace(filters, currency=None))
    shown = [total for total in every if filters.currency in {None, total.currency}]
    rows = await page_rows(driver, filters, after=_place(after) if after else None, limit=PAGE + 1)
    charted = shown[0].currency if shown else ""
    days = await sums_by_day(driver, filters, charted) if charted else {}
    query = query_of(filters)
    return Overview(
        filters=filters,
        heading=_heading(filters.first, filters.last),
        presets=_presets(filters),
        figures=await _figures(db, filters),
        totals=shown,
        currencies=sorted({total.currency for total in every} | ({filters.currency} if filters.currency else set())),
        chart=bars(filters.first, filters.last, days, charted) if charted else [],
        chart_currency=charted,
        rows=rows[:PAGE],
        query=query,
        wanted=parse_qsl(query),
        next_query=f"{query}&{urlencode({'after': _place_of(rows[PAGE - 1], filters.basis)})}" if rows[PAGE:] else "",
        first_query=query if after else "",
    )


def query_of(filters: Filters) -> str:
    """The query string that asks for these filters."""
    values = {
        "from": filters.first.isoformat(),
        "to": filters.last.isoformat(),
        "basis": filters.basis,
        "status": filters.status,
        "destination": filters.destination,
        "currency": filters.currency,
    }
    return urlencode({name: str(value) for name, value in values.items() if value})


def _place(text: str) -> Place:
    moment, _separator, identity = text.partition("_")
    try:
        return datetime.fromisoformat(moment), UUID(identity)
    except ValueError:
        raise InvalidError(mark("There is no such page."), field="after") from None


def _place_of(row: ReportRow, basis: Basis) -> str:
    return f"{getattr(row, moment_column(basis)).isoformat()}_{row.refund_id}"


def _heading(first: date, last: date) -> str:
    if first.day == 1 and last == month_end(first):
        return _("Refunds, {period}", period=words.month(first))
    days = _("{first} to {last}", first=formats.format_date(first), last=formats.format_date(last))
    return _("Refunds, {period}", period=days if first != last else formats.format_date(first))


def month_end(day: date) -> date:
    """The last day of a day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def _presets(filters: Filters) -> list[tuple[str, str, bool]]:
    this = today(filters.zone).replace(day=1)
    before = (this - timedelta(days=1)).replace(day=1)
    periods = [(_("This month"), this, month_end(this)), (_("Last month"), before, month_end(before))]
    return [
        (
            name,
            query_of(msgspec.structs.replace(filters, first=first, last=last)),
            (filters.first, filters.last) == (first, last),
        )
        for name, first, last in periods
    ]


_OPEN: Final = text("""
    SELECT status = 'awaiting_transfer' AS transfer, currency, count(*) AS count, CAST(sum(amount) AS bigint) AS amount,
           min(created_at) AS oldest
    FROM refund WHERE status NOT IN ('succeeded', 'canceled') AND status <> 'failed'
    GROUP BY status = 'awaiting_transfer', currency ORDER BY count(*) DESC, currency
""")
_SETTLED: Final = text("""
    SELECT destination, currency, count(*) AS count, CAST(sum(amount) AS bigint) AS amount,
           CAST(sum(bonus) AS bigint) AS bonus
    FROM refund WHERE settled_at >= :begins AND settled_at < :ends AND status = 'succeeded'
    GROUP BY destination, currency ORDER BY count(*) DESC, currency
""")


async def _figures(db: AsyncConnection, filters: Filters) -> list[Figure]:
    """What went out in the period, and what is on its way now."""
    settled = (await db.execute(_SETTLED, {"begins": filters.begins, "ends": filters.ends})).all()
    waiting = (await db.execute(_OPEN)).all()
    cards = [row for row in settled if row.destination == Destination.CARD]
    points = [row for row in settled if row.destination == Destination.POINTS]
    transfers = [row for row in settled if row.destination == Destination.TRANSFER]
    moving, to_transfer = ([row for row in waiting if row.transfer is side] for side in (False, True))
    bonus = ", ".join(formats.money(row.bonus, row.currency) for row in points if row.bonus)
    return [
        Figure(_("Refunded to cards"), _amounts(cards), _count(cards)),
        Figure(
            _("Credited as points"), _amounts(points), _("+ {bonus} bonus", bonus=bonus) if bonus else _count(points)
        ),
        *([Figure(_("Paid by transfer"), _amounts(transfers), _count(transfers))] if transfers else []),
        Figure(_("On its way now"), _amounts(moving), _oldest(moving)),
        Figure(
            _("Waits for a transfer now"), _amounts(to_transfer), _oldest(to_transfer), "wait" if to_transfer else ""
        ),
    ]


def _amounts(rows: Sequence[Any]) -> list[str]:
    return [formats.money(row.amount, row.currency) for row in rows] or ["–"]


def _count(rows: Sequence[Any]) -> str:
    n = sum(row.count for row in rows)
    return ngettext("{n} refund", "{n} refunds", n)


def _oldest(rows: Sequence[Any]) -> str:
    if not rows:
        return _("nothing")
    days = (clock.now() - min(row.oldest for row in rows)).days
    return (
        _("{count}, the oldest since today", count=_count(rows))
        if days < 1
        else _("{count}, the oldest since {days} days", count=_count(rows), days=days)
    )
