"""Pure decisions about labels: which carrier is asked, what a scan leads to, when a parcel is expected."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from returns_portal.carriers.gateway import ScanCode
from returns_portal.errors import ConflictError
from returns_portal.i18n import mark
from returns_portal.labels.models import LABEL_TRANSITIONS, LabelStatus


def refuse_follower(leading: str) -> None:
    """Refuse a label to a return that travels in the parcel of another one, the return `leading`; empty for none.

    Raises:
        ConflictError: it does (`in_other_parcel`).
    """
    if leading:
        raise ConflictError(
            mark("This return travels in the parcel of return {rma}: its label is on that one's page."),
            code="in_other_parcel",
            rma=leading,
        )


class Rule(msgspec.Struct, frozen=True):
    """Which carrier and service a label is bought from; each field is the column's of `CarrierRule`."""

    id: UUID
    position: int
    carrier: str
    service: str
    countries: list[str]
    max_weight_grams: int | None
    min_value: int
    max_value: int | None
    currency: str
    enabled: bool


class Policy(msgspec.Struct, frozen=True):
    """The shop's patience; each field is the column's of `CarrierPolicy`."""

    void_days: int
    label_days: int
    stuck_days: int
    lost_days: int
    transit_days: int
    item_grams: int
    own_courier: bool


class Goods(msgspec.Struct, frozen=True):
    """What the rules ask of a parcel. Values are minor units of `currency`."""

    country: str
    grams: int
    value: int
    currency: str


def fits(rule: Rule, goods: Goods) -> bool:
    """Whether a rule is for this parcel."""
    limited = rule.min_value > 0 or rule.max_value is not None
    return (
        rule.enabled
        and (not rule.countries or goods.country.upper() in rule.countries)
        and (rule.max_weight_grams is None or goods.grams <= rule.max_weight_grams)
        and (not limited or (rule.currency == goods.currency and rule.min_value <= goods.value))
        and (rule.max_value is None or goods.value <= rule.max_value)
    )


def next_rule(rules: Sequence[Rule], goods: Goods, tried: int) -> Rule | None:
    """The first rule for this parcel behind the position that was tried last; None where the prepaid label is left."""
    behind = [rule for rule in rules if rule.position > tried and fits(rule, goods)]
    return min(behind, key=lambda rule: rule.position, default=None)


MOVING: Final = frozenset({ScanCode.PICKED_UP, ScanCode.IN_TRANSIT, ScanCode.OUT_FOR_DELIVERY})
"""Scans of a parcel that the carrier has in hand."""
_LEADS_TO: Final = {
    **dict.fromkeys((*MOVING, ScanCode.FAILED, ScanCode.RETURNED), LabelStatus.IN_TRANSIT),
    ScanCode.DELIVERED: LabelStatus.DELIVERED,
    ScanCode.LOST: LabelStatus.LOST,
}


def after_scan(status: LabelStatus, code: ScanCode) -> LabelStatus | None:
    """Where a scan brings a label; None where it stays."""
    to = _LEADS_TO.get(code)
    return to if to is not None and to in LABEL_TRANSITIONS[status] else None


def is_reuse(status: LabelStatus, code: ScanCode, at: datetime, ended_at: datetime | None) -> bool:
    """Whether a scan shows a label on its way once more, after it had served or was given back."""
    ended = status in {LabelStatus.DELIVERED, LabelStatus.VOIDED}
    return ended and code in MOVING and ended_at is not None and at > ended_at
