"""What the pages call what is counted, and how they say a share."""

from collections.abc import Mapping
from typing import Final

from babel import numbers

from returns_portal import i18n
from returns_portal.i18n import _, mark, translate
from returns_portal.insights.lines import SEVERAL, Dimension
from returns_portal.insights.measures import Group, Measure
from returns_portal.insights.standing import Standing, Stands
from returns_portal.web import formats

D, M = Dimension, Measure
DIMENSIONS: Final[Mapping[Dimension, str]] = {
    D.PRODUCT: mark("By product"),
    D.SIZE: mark("By size"),
    D.COLOR: mark("By colour"),
    D.SUPPLIER: mark("By supplier"),
    D.CARRIER: mark("By carrier"),
    D.WAREHOUSE: mark("By warehouse"),
    D.MONTH: mark("By month"),
}
HEADINGS: Final[Mapping[Dimension, str]] = {
    D.PRODUCT: mark("Product"),
    D.SIZE: mark("Size"),
    D.COLOR: mark("Colour"),
    D.SUPPLIER: mark("Supplier"),
    D.CARRIER: mark("Carrier"),
    D.WAREHOUSE: mark("Warehouse"),
    D.MONTH: mark("Month"),
}
_NAMELESS: Final[Mapping[Dimension, str]] = {
    D.PRODUCT: mark("without a name"),
    D.SIZE: mark("without a size"),
    D.COLOR: mark("without a colour"),
    D.SUPPLIER: mark("supplier not known"),
    D.CARRIER: mark("carrier not known"),
    D.WAREHOUSE: mark("warehouse not known"),
}
_SEVERAL: Final[Mapping[Dimension, str]] = {
    D.CARRIER: mark("several carriers"),
    D.WAREHOUSE: mark("several warehouses"),
}
MEASURES: Final[Mapping[Measure, str]] = {
    M.SOLD: mark("Sold"),
    M.SHIPPED: mark("Sent"),
    M.RETURNED: mark("Came back"),
    M.TOO_SMALL: mark("Too small"),
    M.TOO_LARGE: mark("Too large"),
    M.FAULTY: mark("Faulty or wrong, by the customer’s words"),
    M.LOOKS: mark("Looks other than shown"),
    M.LATE: mark("Came too late"),
    M.UNLIKED: mark("Not liked, or not needed"),
    M.OTHER: mark("Another reason"),
    M.CLAIMED: mark("Claims"),
    M.CLAIM_DAMAGED: mark("Claim: arrived damaged"),
    M.CLAIM_FAULTY: mark("Claim: faulty"),
    M.CLAIM_MISSING: mark("Claim: missing"),
    M.CLAIM_WRONG: mark("Claim: something else"),
    M.CHECKED: mark("Looked at when it came back"),
    M.CAME_RESELLABLE: mark("Came back like new"),
    M.CAME_WORN: mark("Came back worn"),
    M.CAME_DAMAGED: mark("Came back damaged"),
    M.CAME_WRONG_ITEM: mark("Another item came back"),
    M.ASKED: mark("Questions"),
}
_STANDS: Final[Mapping[Stands, str]] = {
    Stands.MORE: mark("more than the rest"),
    Stands.LESS: mark("less than the rest"),
    Stands.ALIKE: mark("like the rest"),
    Stands.UNKNOWN: mark("too little known"),
}


def measure_words(measure: Measure) -> str:
    """What a measure is called."""
    return translate(MEASURES[measure])


def group_words(dimension: Dimension, group: Group) -> str:
    """What a group is called."""
    if dimension is D.MONTH:
        return month_words(group.key)
    if group.key == SEVERAL and dimension in _SEVERAL:
        return translate(_SEVERAL[dimension])
    return group.name or translate(_NAMELESS[dimension])


def month_words(key: str) -> str:
    """A month such as `2026-11`, by its number and year: short enough for a drawing in every language."""
    year, _dash, month = key.partition("-")
    return f"{month}/{year}"


def stands_words(stands: Stands) -> str:
    """How a group stands beside the rest."""
    return translate(_STANDS[stands])


def percent(share: float) -> str:
    """A share in per cent: with one decimal below ten per cent, where it tells something."""
    rounded = round(share, 3) if share < 0.1 else round(share, 2)  # noqa: PLR2004 - ten per cent
    return numbers.format_percent(rounded, locale=i18n.formatting_locale(i18n.current()), decimal_quantization=False)


def bounds(one: Standing) -> str:
    """Within which bounds a share lies."""
    return _("{low} to {high}", low=percent(one.interval.low), high=percent(one.interval.high))


def share_words(one: Standing) -> str:
    """A share with what it is made of: `23 % (12 of 52)`."""
    return _(
        "{share} ({events} of {whole})",
        share=percent(one.share),
        events=formats.number(one.events),
        whole=formats.number(one.whole),
    )
