"""The refund report in words of the reader, as it is printed."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, i18n
from returns_portal.actor import Actor
from returns_portal.db import raw_connection
from returns_portal.finance import words
from returns_portal.finance.chart import bars
from returns_portal.finance.filters import Basis, Filters
from returns_portal.finance.printing import PrintedReport, PrintedRow, PrintedTable
from returns_portal.finance.report import ReportRow, Split, Total, page_rows, splits, sums_by_day, totals
from returns_portal.i18n import _
from returns_portal.shop.queries import ShopInfo
from returns_portal.web import formats

MOST_ROWS: Final = 100
"""What is printed: a row takes some 20 ms, and the files have all of them."""


async def report_paper(
    db: AsyncConnection, actor: Actor, filters: Filters, shop: ShopInfo, *, sandbox: bool
) -> PrintedReport:
    """What the printed report says: all sums, and the newest rows.

    Raises:
        ForbiddenError: the actor is not of finance.
    """
    actor.require("finance")
    driver = await raw_connection(db)
    await driver.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    sums = await totals(driver, filters)
    rows = await page_rows(driver, filters, after=None, limit=MOST_ROWS)
    charted = sums[0].currency if sums else ""
    days = await sums_by_day(driver, filters, charted) if charted else {}
    count = sum(total.count for total in sums)
    return PrintedReport(
        shop=shop.name,
        heading=_("Refunds"),
        facts=_facts(filters),
        totals=[_totals(sums), _splits(await splits(driver, filters))] if sums else [],
        chart_title=_("Refunds in {currency}", currency=charted),
        chart=bars(filters.first, filters.last, days, charted) if charted else [],
        rows=_rows(rows, filters.basis),
        left_out=_(
            "The newest {shown} of {count} refunds; the CSV and the workbook have them all.",
            shown=formats.number(len(rows)),
            count=formats.number(count),
        )
        if count > len(rows)
        else "",
        sandbox=sandbox,
        locale=i18n.current(),
    )


def _facts(filters: Filters) -> list[tuple[str, str]]:
    first, last = formats.format_date(filters.first), formats.format_date(filters.last)
    facts = [
        (_("Period"), _("{first} to {last}", first=first, last=last) if first != last else first),
        (_("By the day of"), _("success") if filters.basis is Basis.SUCCESS else _("filing")),
        (_("Time zone"), filters.zone),
        (_("As of"), formats.format_datetime(clock.now(), "medium")),
    ]
    if filters.status is not None:
        facts.append((_("Status"), words.status(filters.status).text))
    if filters.destination is not None:
        facts.append((_("Refunded to"), words.destination(filters.destination)))
    if filters.currency is not None:
        facts.append((_("Currency"), filters.currency))
    return facts


def _totals(sums: Sequence[Total]) -> PrintedTable:
    names = PrintedRow(
        [_("Currency")], [_("Refunds"), _("Gross"), _("Net"), _("Tax"), _("Shipping"), _("Bonus in points")]
    )
    return PrintedTable(
        _("Totals"),
        names,
        [
            PrintedRow(
                [total.currency],
                [
                    formats.number(total.count),
                    *(
                        formats.money(minor, total.currency)
                        for minor in (total.gross, total.net, total.tax, total.shipping, total.points_bonus)
                    ),
                ],
            )
            for total in sums
        ],
    )


def _splits(found: Sequence[Split]) -> PrintedTable:
    names = PrintedRow([_("Currency"), _("Reason"), _("Refunded to")], [_("Refunds"), _("Gross")])
    return PrintedTable(
        _("By reason and destination"),
        names,
        [
            PrintedRow(
                [split.currency, words.kind(split.kind), words.destination(split.destination)],
                [formats.number(split.count), formats.money(split.gross, split.currency)],
            )
            for split in found
        ],
    )


def _rows(rows: Sequence[ReportRow], basis: Basis) -> PrintedTable:
    day = _("Settled") if basis is Basis.SUCCESS else _("Filed")
    names = PrintedRow(
        [day, _("Return"), _("Order"), _("Credit note"), _("Refunded to"), _("Status"), _("Goods")],
        [_("Gross"), _("Tax"), _("Shipping"), _("Bonus")],
    )
    return PrintedTable(_("Refunds"), names, [_row(row, basis) for row in rows])


def _row(row: ReportRow, basis: Basis) -> PrintedRow:
    moment = row.settled_at if basis is Basis.SUCCESS else row.requested_at
    return PrintedRow(
        [
            formats.format_date(moment, "medium") if moment else "–",
            row.return_number or "–",
            row.order_number,
            row.credit_note or "–",
            words.destination(row.destination),
            words.status(row.status, row.destination).text,
            row.skus or words.kind(row.kind),
        ],
        [formats.money(minor, row.currency) for minor in (row.gross, row.tax, row.shipping, row.points_bonus)],
    )
