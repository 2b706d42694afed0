"""What somebody wants to see: of which days, by what, and which share."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import State

from returns_portal.errors import InvalidError, NotFoundError
from returns_portal.i18n import mark, translate
from returns_portal.insights.lines import Dimension
from returns_portal.insights.measures import SHARES, Measure
from returns_portal.insights.pages.period import Period, Preset, presets, read, usual
from returns_portal.insights.pages.words import DIMENSIONS, measure_words
from returns_portal.web import requires_staff

AnyRequest = Request[Any, Any, State]
PAGE: Final = "/insights"
staff = [requires_staff("finance", "support")]
OFFERED: Final = (*SHARES, Measure.ASKED)
"""What a table can be about."""


class Asked(msgspec.Struct, frozen=True):
    """The days that are shown, and what was wrong with those that were typed."""

    period: Period
    presets: list[Preset]
    typed: Mapping[str, str]
    errors: Mapping[str, str]
    query: str

    @property
    def status(self) -> int:
        """What the page answers with."""
        return 422 if self.errors else 200


def days_of(request: AnyRequest, zone: str) -> Asked:
    """The days that are asked for; where they cannot be, the usual ones, with what was typed and why not."""
    query, errors = dict(request.query_params), {}
    try:
        period = read(query, zone)
    except InvalidError as error:
        errors = {error.field or "": translate(error.sentence, **error.values)}
        period = usual(zone)
    days = {"from": period.first.isoformat(), "to": period.last.isoformat()}
    typed = {name: query.get(name) or day for name, day in days.items()}
    return Asked(period, presets(period), typed, errors, period.query())


def dimension_of(name: str) -> Dimension:
    """By what is grouped.

    Raises:
        NotFoundError: by no such thing.
    """
    if name not in set(Dimension):
        raise NotFoundError(mark("There is no such page."))
    return Dimension(name)


def measure_of(request: AnyRequest) -> Measure:
    """Which measure is asked for; without a known one, what came back."""
    asked = request.query_params.get("measure", "")
    return Measure(asked) if asked in set(Measure) else Measure.RETURNED


def tabs(query: str) -> list[tuple[str, str, str]]:
    """The tables, by what they are grouped: its name, where it is, what it is called."""
    return [(dim.value, f"{PAGE}/{dim.value}?{query}", translate(text)) for dim, text in DIMENSIONS.items()]


def measures() -> list[tuple[str, str]]:
    """What a table can be about, to choose from."""
    return [(measure.value, measure_words(measure)) for measure in OFFERED]
