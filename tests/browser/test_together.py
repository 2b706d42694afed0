"""Two orders in one parcel as people do it: on a phone with and without scripts, and at the station by the scanner."""

import pytest

from tests.browser.conftest import Enter, chromium
from tests.browser.keyboards import strike
from tests.browser.live import Live
from tests.browser.visitor import PHONE

chromium()


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("de", False)])
def test_a_second_order_goes_into_the_parcel_of_the_first(
    live: Live, enter: Enter, language: str, *, scripts: bool
) -> None:
    lead, other = (live.stage.cases[f"parcel, {which}, {language}"] for which in ("first", "second"))
    visitor = enter(size=PHONE, locale=language, scripts=scripts)
    visitor.carry(lead.token)
    page = visitor.page
    page.goto(f"/returns/{lead.rma}")
    page.locator(f"main a[href='/returns/{lead.rma}/parcel']").click()
    page.locator(f"form:has([name=order][value='{other.number}']) button").click()
    assert page.locator(f"[name=in_parcel_of][value='{lead.rma}']").is_checked()
    page.locator("[name=line]").first.check()
    page.locator("form[data-preview] button:not([name])").click()
    page.wait_for_url("**/returns/R-*")
    assert lead.rma in page.locator("main").inner_text()
    assert page.locator("a[href*='label.pdf']").count() == 0, "it has no label of its own"

    # The one label is two taps away, in the session of this order, and names what travels with it.
    rma = page.url.rsplit("/", 1)[1]
    page.locator(f"main a[href='/returns/{rma}/parcel']").click()
    page.locator("form[action$='/parcel/return'] button.button").click()
    page.wait_for_url(f"**/returns/{lead.rma}")
    assert rma in page.locator("main").inner_text()
    assert page.locator("a.button[href*='label.pdf']").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_scanner_leads_through_a_parcel_of_two_orders(live: Live, enter: Enter) -> None:
    lead, other = live.stage.cases["parcel to count"], live.stage.cases["parcel to count next"]
    visitor = enter()
    visitor.carry(live.stage.staff["warehouse"])
    page = visitor.page
    page.goto("/station")
    strike(page, lead.rma)
    page.locator(".state").get_by_text(other.rma).wait_for()
    # Goods of the other return are no goods of this one, and are not looked for elsewhere.
    strike(page, "SO-TWO")
    page.locator(".state.wait").get_by_text(f"This is of return {other.rma}").wait_for()
    assert page.locator("#count [name=rma]").input_value() == lead.rma
    strike(page, "KE-ONE")
    strike(page, "RP-DONE")
    page.locator(".state").get_by_text("Now the next return in this parcel").wait_for()
    strike(page, lead.rma)
    page.locator(f"#count [name=rma][value='{other.rma}']").wait_for(state="attached")
    strike(page, "SO-TWO")
    strike(page, "RP-DONE")
    page.locator(".state.good").get_by_text("1 of 1 here").wait_for()
