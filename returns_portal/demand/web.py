"""Every page of what is not in stock."""

from typing import Any

from returns_portal.demand.pages import customer, elsewhere, outbound, report, requests, staff

routes: list[Any] = [
    *customer.routes,
    *elsewhere.routes,
    *outbound.routes,
    *report.routes,
    *requests.routes,
    *staff.routes,
]
