"""Every page in every state that it can be in: who looks, where, and what they do there before it looks like that."""

from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Page

from tests.browser import road
from tests.browser.live import Live

Act = Callable[[Page, Live], None]


def _nothing(_page: Page, _live: Live) -> None:
    """Looking is enough."""


class Scene(NamedTuple):
    """A page. `who` is a role of the staff or a customer's case; `path` may name a case's `{rma}` and `{number}`."""

    name: str
    path: str
    who: str = ""
    act: Act = _nothing
    case: str = ""

    def address(self, live: Live) -> str:
        """Where the scene begins."""
        case = live.stage.cases.get(self.case or self.who)
        return self.path.format(rma=case.rma, number=case.number) if case else self.path


def press(*names: str, **typed: str) -> Act:
    """Fill fields by their names, and press buttons one after the other."""

    def act(page: Page, _live: Live) -> None:
        for field, value in typed.items():
            page.locator(f"[name={field}]:visible").first.fill(value)
        for name in names:
            page.get_by_role("button", name=name).first.click()

    return act


def choose_something(page: Page, _live: Live) -> None:
    page.get_by_role("checkbox").first.check()
    page.locator("[data-part=sum] .total").first.wait_for()
    page.get_by_text("Tell us why, if you like").click()


def keys(*pressed: str, words: str) -> Act:
    """Press keys as a person does: the station waits a moment to know that it was no scanner's."""

    def act(page: Page, _live: Live) -> None:
        page.locator("[data-row] button[data-condition]").first.wait_for()
        for key in pressed:
            page.keyboard.press(key)
            page.wait_for_timeout(250)
        page.locator(".dock").get_by_text(words).first.wait_for()

    return act


def open_details(page: Page, _live: Live) -> None:
    for summary in page.locator("main summary").all():
        summary.click()


def newest_mail(page: Page, _live: Live) -> None:
    page.locator("tbody a").first.click()


def to_the_basket(*names: str, path: str = "") -> Act:
    """Put two sizes into the basket first, and then look."""

    def act(page: Page, live: Live) -> None:
        page.goto("/shop/boot?size=41")
        page.get_by_role("button", name="Put into the basket").click()
        page.get_by_role("heading", name="Your basket").wait_for()
        if path:
            page.goto(path)
        press(*names)(page, live)

    return act


def the_nameless(page: Page, _live: Live) -> None:
    page.locator("main article h2 a").first.click()
    page.get_by_role("heading", name="Whose is it?").wait_for()


def no_place(page: Page, live: Live) -> None:
    for box in page.locator("[name^=offered-]").all():
        box.uncheck()
    press("Let it hold")(page, live)


def a_refund(name: str, *, path: str = "/finance/refunds") -> Act:
    def act(page: Page, live: Live) -> None:
        page.goto(f"{path}/{live.stage.refunds[name]}")

    return act


def a_workbook(page: Page, live: Live) -> None:
    press("Workbook (XLSX)")(page, live)
    page.get_by_role("heading", name="Your workbook is ready").wait_for()


def follow(start: str) -> Act:
    """Follow the first link of a table that leads there."""

    def act(page: Page, _live: Live) -> None:
        page.locator(f"tbody a[href^='{start}']").first.click()
        page.wait_for_load_state()

    return act


def a_label(name: str) -> Act:
    def act(page: Page, live: Live) -> None:
        page.locator("tbody a", has_text=live.stage.cases[name].rma).first.click()

    return act


def a_run(page: Page, live: Live) -> None:
    rmas = [live.stage.cases[name].rma for name in ("filed", "cancelled", "refunded", "to close")]
    rows = "\n".join(["rma", *rmas, "R-0000-0000", ""])
    page.locator("[name=file]").set_input_files(
        {"name": "returns.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    )
    page.get_by_role("button", name="Make the labels").click()
    page.get_by_role("heading", name="Your labels are ready").wait_for()


def a_run_of_the_list(page: Page, live: Live) -> None:
    press("All that wait to be sent in one file")(page, live)
    page.get_by_role("heading", name="Your labels are ready").wait_for()


_STATEMENT = {"name": "Ana Petrova", "order_number": "77", "email": "ana@example.com"}
_SCAN = "/station?code={rma}"
_STATES = (
    "filed", "cancelled", "on its way", "refunded", "points", "damaged", "in part", "sent back", "partly here",
    "failed", "transfer", "no account", *road.NAMES,
)  # fmt: skip

_PAGES_OF_FINANCE = ("disputes", "months", "books", "approvals", "credit-notes", "liability", "accounts")
_TRIALS = (
    "trial to pack", "trial packed", "trial sent", "trial runs", "trial settles", "trial settled", "trial refused",
    "trial asks",
)  # fmt: skip

SCENES = [
    Scene("landing", "/"),
    Scene("landing, come in already", "/", "fresh"),
    Scene("landing, wrong", "/", act=press("Send me a code", email="nobody")),
    Scene("code", "/", act=press("Send me a code", number="77", email="ana@example.com")),
    Scene("code, wrong", "/", act=press("Send me a code", "Go on", number="77", email="ana@example.com")),
    Scene("choose", "/orders/{number}", "fresh"),
    Scene("choose, with amounts", "/orders/{number}", "fresh", choose_something),
    Scene("choose, wrong", "/orders/{number}", "fresh", press("Get my label")),
    Scene("choose, something filed", "/orders/{number}", "filed"),
    Scene("choose, too late", "/orders/{number}", "closed"),
    Scene("choose, cancelled order", "/orders/{number}", "cancelled order"),
    *(Scene(f"return, {state}", "/returns/{rma}", state) for state in _STATES),
    Scene("return, account wrong", "/returns/{rma}", "no account", press("Use this account", bank_account="12")),
    Scene("returns", "/returns", "filed"),
    Scene("returns, none", "/returns", "fresh"),
    Scene("my points", "/points", "points"),
    Scene("my points, none", "/points", "fresh"),
    Scene("withdraw", "/withdraw"),
    Scene("withdraw, wrong", "/withdraw", act=press("Go on")),
    Scene("withdraw, confirm", "/withdraw", act=press("Go on", **_STATEMENT)),
    Scene("withdraw, received", "/withdraw", act=press("Go on", "Confirm withdrawal", **_STATEMENT)),
    Scene("sign-in", "/sign-in"),
    Scene("sign-in, wrong", "/sign-in", act=press("Sign in", email="ana@example.com", password="wrong")),
    Scene("station", "/station", "warehouse"),
    Scene("station, found", _SCAN, "warehouse", open_details, case="to count"),
    Scene("station, counted", _SCAN, "warehouse", keys("1", words="counted"), case="to count"),
    Scene("station, unseen", _SCAN, "warehouse", keys("Enter", words="not seen"), case="to count"),
    Scene("station, closed", _SCAN, "warehouse", keys("1", "Enter", words="Undo last"), case="to close"),
    Scene("station, closed before", _SCAN, "warehouse", case="partly here"),
    Scene("station, cancelled", _SCAN, "warehouse", case="cancelled"),
    Scene("station, searched", "/station", "warehouse", press("Look for the return", words="1010")),
    Scene("station, nothing found", "/station", "warehouse", press("Look for the return", words="nobody")),
    Scene("station, unknown", "/station?code=R-0000-0001", "warehouse"),
    Scene("station, orders found", "/station", "warehouse", press("Look for the return", words="1061")),
    Scene("station, badge", "/station?code=RB-0123456789ABCDEF", "warehouse"),
    Scene("station, other return of the box", "/station?box=0192f0c1-0000-7000-8000-000000000000", "warehouse"),
    Scene("without a name", "/station/found", "warehouse"),
    Scene("without a name, wrong", "/station/found", "warehouse", press("Keep it")),
    Scene("without a name, one", "/station/found", "warehouse", the_nameless),
    Scene("return for the customer", "/station/return?order=1061", "warehouse"),
    Scene("return for the customer, wrong", "/station/return?order=1061", "warehouse", press("File it and count")),
    Scene("where goods go", "/station/goods", "warehouse"),
    Scene("back on the shelf", "/station/restock", "warehouse"),
    Scene("back on the shelf, nothing", "/station/restock?day=2020-01-01", "warehouse"),
    Scene("expected", "/station/arrivals", "warehouse"),
    Scene("expected, nothing", "/station/arrivals?day=2020-01-01", "warehouse"),
    Scene("dock, live", "/station/live", "warehouse"),
    Scene("badges", "/station/badges", "admin"),
    Scene("dock's rules", "/station/rules", "admin"),
    Scene("dock's rules, wrong", "/station/rules", "admin", no_place),
    Scene("outbox", "/outbox"),
    Scene("outbox, one", "/outbox", act=newest_mail),
    Scene("decisions", "/finance/decisions", "support"),
    Scene("decisions, wrong", "/finance/decisions", "finance", press("Refund this part")),
    Scene("finance", "/finance", "finance"),
    Scene("finance, nothing", "/finance?status=canceled", "finance"),
    Scene("finance, wrong", "/finance?from=2026-11-30&to=2026-11-01", "finance"),
    *(Scene(f"refund, {name}", "/finance", "finance", a_refund(name)) for name in ("refunded", "failed", "on its way")),
    Scene("customers' points", "/finance/points", "finance"),
    Scene("customers' points, wrong", "/finance/points", "finance", press("Look up", email="nobody@example.com")),
    Scene("a customer's points", "/finance/points", "finance", press("Look up", email="kunde@example.com")),
    Scene("reconciliation", "/finance/reconciliation", "finance"),
    Scene("reconciliation, wrong", "/finance/reconciliation?from=2026-11-30&to=2026-11-01", "finance"),
    Scene("transfers", "/finance/transfers", "finance"),
    Scene("transfers, wrong", "/finance/transfers", "finance", press("Transfer is made")),
    *(Scene(name, f"/finance/{name}", "finance") for name in _PAGES_OF_FINANCE),
    Scene("dispute", "/finance/disputes", "finance", follow("/finance/disputes/")),
    Scene("books, a rule broken", "/finance/books", "finance", press("Prove them now")),
    Scene("workbook", "/finance", "finance", a_workbook),
    Scene("my refund", "/returns", "failed", a_refund("failed", path="/refunds")),
    Scene("orders", "/staff/orders", "support"),
    Scene("orders, none", "/staff/orders?number=nope", "support"),
    Scene("an order", "/staff/orders/1006", "support"),
    Scene("an order, a gesture", "/staff/orders/1005", "support"),
    Scene("shop", "/shop"),
    Scene("shop, nothing found", "/shop?q=zzz&size=42"),
    Scene("product", "/shop/boot", act=open_details),
    Scene("product, size chosen", "/shop/boot?size=41"),
    Scene("products", "/shop-admin", "support"),
    Scene("a product", "/shop-admin/boot", "support"),
    Scene("a product, no picture chosen", "/shop-admin/boot", "support", press("Add the picture")),
    Scene("basket, empty", "/basket"),
    Scene("basket", "/basket", act=to_the_basket()),
    Scene("checkout", "/basket", act=to_the_basket(path="/checkout")),
    Scene("checkout, wrong", "/basket", act=to_the_basket("Order, and pay for what I keep", path="/checkout")),
    Scene("checkout, bought", "/basket", act=to_the_basket(path="/checkout?mode=purchase")),
    *(Scene(f"{state}", "/trials/{number}", state) for state in _TRIALS),
    Scene("trial, something wrong", "/trials/{number}", "trial runs", open_details),
    Scene("trial, card wrong", "/trials/{number}", "trial refused", press("Use this card")),
    Scene("packing", "/station/packing", "warehouse"),
    Scene("packing, one to pack", "/station/packing?code={number}", "warehouse", case="trial to pack"),
    Scene("packing, one to send", "/station/packing?code={number}", "warehouse", case="trial packed"),
    Scene("trials", "/finance/trials", "finance"),
    Scene("trials, none", "/finance/trials?status=written_off", "finance"),
    *(Scene(f"staff, {state}", "/finance/trials/{number}", "finance", open_details, case=state) for state in _TRIALS),
    Scene("trials, what is kept", "/finance/trials/insight", "finance"),
    Scene("trials, what is allowed", "/finance/trials/policy", "admin"),
    Scene("trials, wrongly allowed", "/finance/trials/policy", "admin", press("Allow this", max_items="0")),
    Scene("labels", "/staff/labels", "support"),
    Scene("labels, none", "/staff/labels?show=expired", "warehouse"),
    *(Scene(f"label, {name}", "/staff/labels", "support", a_label(name)) for name in road.NAMES),
    Scene("many labels", "/staff/labels/runs", "finance"),
    Scene("many labels, wrong", "/staff/labels/runs", "support", press("Make the labels")),
    Scene("many labels, some without", "/staff/labels/runs", "support", a_run),
    Scene("many labels, of the list", "/staff/labels?show=sent", "support", a_run_of_the_list),
    Scene("label costs", "/staff/labels/costs", "finance"),
    Scene("pick-ups", "/staff/pickups", "support"),
    Scene("carriers", "/staff/carriers", "admin"),
    Scene("carriers, wrong", "/staff/carriers", "admin", press("Keep this", stuck_days="0")),
    Scene("a carrier's rule", "/staff/carriers/rules/new", "admin"),
    Scene("a carrier's rule, wrong", "/staff/carriers/rules/new", "admin", press("Save", countries="everywhere")),
    Scene("pick-up", "/returns/{rma}/pickup", "label ready"),
    Scene("pick-up, wrong", "/returns/{rma}/pickup", "label ready", press("Ask for the pick-up", phone="")),
    Scene("pick-up, planned", "/returns/{rma}/pickup", "pick-up planned"),
    Scene("pick-up, nobody comes", "/returns/{rma}/pickup", "filed"),
    Scene("code without a printer", "/returns/{rma}/qr", "filed"),
    Scene("code without a printer, paper wanted", "/returns/{rma}/qr", "label ready"),
    Scene("not found", "/nowhere"),
    Scene("not allowed", "/finance", "warehouse"),
    Scene("schema", "/schema"),
]
