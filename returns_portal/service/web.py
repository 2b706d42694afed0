"""Every page of questions."""

from typing import Any

from returns_portal.service.pages import customer, staff

routes: list[Any] = [*customer.routes, *staff.routes]
