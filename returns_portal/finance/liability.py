"""The points liability as finance reads it, on the page and as CSV."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from returns_portal.i18n import mark
from returns_portal.money import exponent
from returns_portal.points.liability import Liability

CHANGES: Final = (
    ("opening", mark("Opening")),
    ("earned", mark("Earned by purchases")),
    ("refunds", mark("Refunds taken as points")),
    ("bonus", mark("Bonus")),
    ("restored", mark("Restored by returns")),
    ("spent", mark("Spent")),
    ("expired", mark("Expired")),
    ("clawed_back", mark("Clawed back")),
    ("adjusted", mark("Adjusted by hand")),
    ("closing", mark("Closing")),
)
"""What the liability is made of, in the order in which it is added up."""


def liability_csv(found: Sequence[Liability], *, livemode: bool) -> str:
    """The report as CSV: one row for each sum, and one for each month in which points of the closing expire.

    The header is `section` (change or expiry), `name` (a change, or a month as YYYY-MM, or never), `currency`, `amount`
    (decimal, in major units: what the points are worth) and `livemode`.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("section", "name", "currency", "amount", "livemode"))
    for one in found:
        values = msgspec.structs.asdict(one)
        mode = str(livemode).lower()
        for name, _heading in CHANGES:
            writer.writerow(("change", name, one.currency, _major(values[name], one.currency), mode))
        for expiring in one.by_month:
            month = f"{expiring.month:%Y-%m}" if expiring.month else "never"
            writer.writerow(("expiry", month, one.currency, _major(expiring.points, one.currency), mode))
    return file.getvalue()


def _major(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-exponent(currency))
