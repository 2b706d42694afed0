"""Every page of the programme for loyal customers."""

from typing import Any

from returns_portal.loyalty.pages import rules, station

routes: list[Any] = [*rules.routes, *station.routes]
