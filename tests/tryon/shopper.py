"""A shopper in front of a browser: what is typed at the checkout, and what is done to get there."""

from typing import Any, Final

from httpx import Response

from tests.portal import Portal
from tests.returns.visits import post, value
from tests.tryon.samples import MARIA, boots
from tests.webclient import Browser

GOOD: Final = "4242 4242 4242 4242"
REFUSED: Final = "4000000000000002"
ASKING: Final = "4000 0025 0000 3155"

TYPED: Final = {
    "name": "Мария Георгиева",
    "email": MARIA,
    "phone": "+359 888 123 456",
    "line1": "бул. Витоша 89",
    "line2": "",
    "city": "София",
    "region": "",
    "postal_code": "1463",
    "country": "BG",
    "consent": "yes",
    "card_number": GOOD,
    "card_month": "8",
    "card_year": "2031",
    "card_cvc": "123",
}


async def fill(browser: Browser, portal: Portal, *sizes: str, **changes: Any) -> Response:  # noqa: ANN401 - of a product
    """Put these sizes into the basket; the basket's page."""
    skus = await boots(portal, **changes)
    answer = await post(browser, "/basket", {"sku": [sku for sku in skus if sku.endswith(sizes)]})
    assert answer.status_code == 303, answer.text
    return await browser.get("/basket")


async def typed(browser: Browser, mode: str = "trial", **changes: str) -> dict[str, str]:
    """The checkout's form, filled in."""
    form = await browser.get(f"/checkout?mode={mode}")
    assert form.status_code == 200, form.headers.get("location")
    hidden = {name: value(form, name) for name in ("token", "mode", "terms")}
    return {**TYPED, **hidden, **changes}


async def order(browser: Browser, portal: Portal, *sizes: str, mode: str = "trial", **changes: str) -> str:
    """Order these sizes; the path of the trial's page, on which the browser then may look."""
    await fill(browser, portal, *sizes)
    answer = await post(browser, "/checkout", await typed(browser, mode, **changes))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
