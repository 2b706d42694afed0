"""A balance as people see it, on the page and on paper."""

from collections.abc import Sequence

import msgspec

from returns_portal.i18n import _
from returns_portal.points.queries import Balance, Expiring
from returns_portal.points.rules import last_day
from returns_portal.points.words import points
from returns_portal.web import formats


class Sheet(msgspec.Struct, frozen=True):
    """The points of one currency in words; `held` is empty where nothing is set aside."""

    currency: str
    points: str
    worth: str
    held: str
    expiring: list[tuple[str, str]]
    """How many are good until when."""


def sheets(balances: Sequence[Balance], zone: str) -> list[Sheet]:
    """The balances in the current language; days are days of the zone."""
    return [
        Sheet(
            balance.currency,
            points(balance.points),
            formats.money(balance.points, balance.currency),
            points(balance.held) if balance.held else "",
            [(points(lot.points), until(lot, zone)) for lot in balance.expiring],
        )
        for balance in balances
    ]


def until(lot: Expiring, zone: str) -> str:
    """Until when points are good."""
    if lot.expires_at is None:
        return _("without an end")
    return _("until the end of {day}", day=formats.format_date(last_day(lot.expires_at, zone)))
