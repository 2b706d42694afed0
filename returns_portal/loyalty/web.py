"""Every page of the programme for loyal customers."""

from typing import Any

from returns_portal.loyalty.pages import report, rules, station

routes: list[Any] = [*rules.routes, *report.routes, *station.routes]
