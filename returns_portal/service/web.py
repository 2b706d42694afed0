"""Every page of questions."""

from typing import Any

from returns_portal.service.pages import customer, measured, snippets, staff

routes: list[Any] = [*customer.routes, *staff.routes, *measured.routes, *snippets.routes]
