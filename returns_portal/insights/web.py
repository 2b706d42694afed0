"""Every page of weak points."""

from typing import Any

from returns_portal.insights.pages import fits, overview, rows_behind, tables

routes: list[Any] = [*overview.routes, *fits.routes, *tables.routes, *rows_behind.routes]
