"""What purchases earn, what goes back with the goods, and how long points last. Pure arithmetic."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from returns_portal.points.models import LotKind

RESTORED_FOR: Final = timedelta(days=30)
"""How long points last at least that expired between being spent and coming back."""
NOTICE_DAYS: Final = (30, 7)
"""How many days before points expire their owner is told."""
HOLD_MINUTES: Final = 24 * 60
"""How long points are held for a purchase where its checkout names no other time."""
MOST_POINTS: Final = 10**12
"""More than any purchase costs in any currency, and far below what 64 bits hold."""

CLAWED: Final = (LotKind.EARNED, LotKind.BONUS, LotKind.ADJUSTED)
"""What a claw-back may take: what was given, never what somebody has for their money."""

# The law's months are calendar months, and so are people's.
_MONTHS_OF_YEAR: Final = 12


def earned(paid: int, per_mille: int) -> int:
    """What so much money earns, rounded down to whole points."""
    return paid * per_mille // 1000


def earned_anew(points: int, basis: int, paid: int, per_mille: int) -> int:
    """What an order earns that costs `paid` now, where it had earned `points` on `basis`.

    At the rate of then: today's, as long as it explains what was earned, and otherwise in proportion to that.
    """
    return earned(paid, per_mille) if earned(basis, per_mille) == points else points * paid // basis


def clawed(points: int, basis: int, refunded: int, done: int, lost: int = 0) -> int:
    """How many earned points go back now that so much of the money has.

    A cumulative slice, so that refunds one by one come to what all at once would, and the last takes the rest.

    Args:
        points: What the purchase earned.
        basis: The money that it was computed from.
        refunded: The money that went back for goods so far.
        done: What earlier refunds were due to give back.
        lost: Of `basis`, what the order was changed not to cost any more: nothing was earned on that.
    """
    cost = basis - lost
    kept = points * cost // basis
    gone = kept * min(refunded, cost) // cost if cost else 0
    return max(0, points - kept + gone - done)


def expiry(now: datetime, months: int, zone: str) -> datetime | None:
    """When points that are given now expire: at the end of a day of the shop, or never where `months` is 0."""
    if not months:
        return None
    here = ZoneInfo(zone)
    last_day = _months_later(now.astimezone(here).date(), months)
    return datetime.combine(last_day + timedelta(days=1), time(), here).astimezone(UTC)


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last where it has no such day."""
    year, month = divmod(day.year * _MONTHS_OF_YEAR + day.month - 1 + months, _MONTHS_OF_YEAR)
    following = date(year + (month + 1) // _MONTHS_OF_YEAR, (month + 1) % _MONTHS_OF_YEAR + 1, 1)
    return date(year, month + 1, min(day.day, (following - timedelta(days=1)).day))


def restored_expiry(original: datetime | None, now: datetime) -> datetime | None:
    """When points that come back expire: as they would have, or in 30 days where they have meanwhile."""
    return original if original is None or original > now else now + RESTORED_FOR


def last_day(expires_at: datetime, zone: str) -> date:
    """The last day on which points are good, as people say it."""
    return (expires_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
