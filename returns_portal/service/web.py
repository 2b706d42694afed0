"""Every page of questions."""

from typing import Any, Final

from returns_portal.service.pages import (
    amends,
    amends_goods,
    composer,
    customer,
    measured,
    playbooks,
    rating,
    snippets,
    staff,
)

_PAGES: Final = (customer, staff, measured, snippets, playbooks, composer, amends, amends_goods, rating)
routes: list[Any] = [route for pages in _PAGES for route in pages.routes]
