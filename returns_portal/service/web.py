"""Every page of questions."""

from typing import Any

from returns_portal.service.pages import customer, measured, staff

routes: list[Any] = [*customer.routes, *staff.routes, *measured.routes]
