"""Every page of claims."""

from typing import Any

from returns_portal.claims.pages import customer, packing, staff

routes: list[Any] = [*customer.routes, *staff.routes, *packing.routes]
