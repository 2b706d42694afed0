"""Every page of what is not in stock."""

from typing import Any

from returns_portal.demand.pages import elsewhere, outbound

routes: list[Any] = [*elsewhere.routes, *outbound.routes]
