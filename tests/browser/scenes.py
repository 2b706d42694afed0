"""Every page in every state that it can be in: who looks, where, and what they do there before it looks like that."""

from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Page

from tests.browser import promises, road
from tests.browser.at_once import AT_ONCE
from tests.browser.confirmed import CALLS
from tests.browser.inbox_scenes import INBOX
from tests.browser.live import Live, signed
from tests.browser.visitor import Visitor

Act = Callable[[Page, Live], None]


def _nothing(_page: Page, _live: Live) -> None:
    """Looking is enough."""


class Scene(NamedTuple):
    """A page. `who` is a role of the staff or a customer's case; `path` may name a case's `{rma}` and `{number}`.

    A path behind `signed:` is come to by a link as e-mails have it.
    """

    name: str
    path: str
    who: str = ""
    act: Act = _nothing
    case: str = ""

    def address(self, live: Live) -> str:
        """Where the scene begins."""
        case = live.stage.cases.get(self.case or self.who)
        if self.path.startswith("signed:"):
            named = self.path.removeprefix("signed:")
            return signed(named.format(rma=case.rma, number=case.number) if case else named)
        return self.path.format(rma=case.rma, number=case.number) if case else self.path


def look(visitor: Visitor, live: Live, scene: Scene) -> None:
    """Come to a scene as whoever looks at it, and do what is done there."""
    stage = live.stage
    if scene.who:
        visitor.carry(stage.staff[scene.who] if scene.who in stage.staff else stage.cases[scene.who].token)
    visitor.page.goto(scene.address(live))
    scene.act(visitor.page, live)


def press(*names: str, **typed: str) -> Act:
    """Fill fields by their names, and press buttons one after the other."""

    def act(page: Page, _live: Live) -> None:
        for field, value in typed.items():
            page.locator(f"[name={field}]:visible").first.fill(value)
        for name in names:
            page.get_by_role("button", name=name).first.click()

    return act


def open_menu(page: Page, _live: Live) -> None:
    page.locator("summary", has_text="Customers").click()
    page.get_by_role("link", name="Questions").wait_for()


def choose_something(page: Page, _live: Live) -> None:
    page.get_by_role("checkbox").first.check()
    page.locator("[data-part=sum] .total").first.wait_for()
    page.get_by_text("Tell us why, if you like").click()


def look_for_another(page: Page, _live: Live) -> None:
    page.get_by_text("Exchange it for something else").click()
    page.locator("[name=find]").fill("winter")
    page.get_by_role("button", name="Search").click()


def to_the_gift(page: Page, _live: Live) -> None:
    """Go on to the gift, where who came by a link is asked who they are."""
    page.goto("/gift/items")


def for_nothing(page: Page, _live: Live) -> None:
    """Ask for a code that is for no item."""
    for box in page.get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Show the gift code").click()


def choose_at_once(page: Page, _live: Live) -> None:
    """Choose another size, and to have it at once."""
    page.locator("select[name^=swap]").first.select_option(index=1)
    page.locator("input[name=exchange_at_once][value=yes]").check()
    page.locator("[data-part=sum] .total").first.wait_for()


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


def take_points(page: Page, live: Live) -> None:
    open_details(page, live)
    press("Take the points")(page, live)


def take_all_out(page: Page, live: Live) -> None:
    for box in page.locator("[name=line]:checked").all():
        box.uncheck()
    press("Change my return")(page, live)


def a_code(page: Page, live: Live) -> None:
    open_details(page, live)
    press("Make a code", amount="10")(page, live)


def too_many_points(page: Page, live: Live) -> None:
    open_details(page, live)
    press("Make a code", amount="999999999")(page, live)


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


def stand_in(page: Page, live: Live) -> None:
    press("Lviv")(page, live)
    page.get_by_text("Warehouse: Lviv").wait_for()


def stand_elsewhere(page: Page, live: Live) -> None:
    stand_in(page, live)
    page.get_by_text("Warehouse: Lviv").click()
    page.get_by_role("button", name="Lviv").wait_for()


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


def the_claim(page: Page, _live: Live) -> None:
    page.locator("main a[href^='/claims/0']").first.click()
    page.get_by_text("Wanted:").wait_for()


def the_article(page: Page, _live: Live) -> None:
    page.locator("main article h2 a").first.click()
    page.get_by_role("button", name="Do not send it").wait_for()


def decide_a_claim(*names: str) -> Act:
    def act(page: Page, live: Live) -> None:
        page.locator("main article h2 a").first.click()
        page.get_by_role("heading", name="Decide").wait_for()
        press(*names)(page, live)

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


def a_wish(named: str) -> Act:
    """Ask for it, and follow the link of the e-mail that comes then, not that of one before."""

    def act(page: Page, _live: Live) -> None:
        newest = page.locator("tbody a").first
        page.goto("/outbox")
        before = newest.get_attribute("href")
        page.goto("/privacy")
        page.get_by_role("radio", name=named).check()
        press("Send me the link", email="kunde@example.com")(page, _live)
        link = page.locator("main a[href*='/privacy/confirm/']")
        for _ in range(60):
            page.goto("/outbox")
            if newest.get_attribute("href") != before:
                newest.click()
                page.get_by_role("heading").first.wait_for()
            if link.count():
                link.first.click()
                return
            page.wait_for_timeout(250)

    return act


def my_files(page: Page, live: Live) -> None:
    a_wish("Everything about me")(page, live)
    page.get_by_role("button", name="Make my files").click()
    for _ in range(60):
        if page.get_by_role("link", name="PDF to read").count():
            return
        page.wait_for_timeout(500)
        page.reload()


_STATEMENT = {"name": "Ana Petrova", "order_number": "77", "email": "ana@example.com"}
_SCAN = "/station?code={rma}"
_STATES = (
    "filed", "parcel leads", "parcel follows", "cancelled", "on its way", "refunded", "points", "damaged", "in part",
    "sent back", "partly here",
    "failed", "transfer", "no account", *road.NAMES,
)  # fmt: skip

_PAGES_OF_FINANCE = ("disputes", "months", "books", "approvals", "credit-notes", "liability", "accounts", "deadlines")
_CLAIMS = (
    "claim", "claim returning", "claim refused", "claim refunded", "anew to send", "anew sent", "anew missing",
)  # fmt: skip
_QUESTIONS = ("question asked", "question promised", "question answered", "question closed")
_GROUPED = ("product", "size", "supplier", "warehouse", "month")
_TRIALS = (
    "trial to pack", "trial packed", "trial sent", "trial runs", "trial settles", "trial settled", "trial refused",
    "trial asks",
)  # fmt: skip

_EXCHANGES = (
    "exchange set aside", "exchange to pay", "exchange asks", "exchange refused", "exchange to send", "exchange sent",
    "exchange ended",
)  # fmt: skip

WANTED = [
    Scene("not in stock", "/shop/wander-boot?color=Black&size=43"),
    Scene("not in stock, kept", "/shop/wander-boot?size=43", act=press("I need this", email="eve@example.com")),
    Scene("wanted", "/wanted"),
    Scene("wanted, of a product", "/wanted?product=wander-boot&size=43"),
    Scene("wanted, wrong", "/wanted", act=press("I need this", email="nobody")),
    Scene("wanted, kept", "{number}", case="request, kept"),
    Scene("wanted, ending", "{number}", case="request, ending"),
    Scene("question, something wanted", "/questions/new?topic=wanted&about=/shop/wander-boot"),
    Scene("requests", "/staff/requests", "support"),
    Scene("requests, none", "/staff/requests?what=nothing", "support"),
    *(
        Scene(f"{name}, staff", "/staff/requests/{number}", "support", open_details, name)
        for name in ("request", "request answered", "request of nobody")
    ),
    Scene("request, wrong", "/staff/requests/{number}", "support", press("Send the answer"), "request"),
    Scene("request in a thread", "/staff/questions/{number}", "support", open_details, "question with a request"),
    Scene("other shops", "/staff/elsewhere", "support"),
    Scene("other shops, none", "/staff/elsewhere?product=none", "support"),
    Scene("other shops, wrong", "/staff/elsewhere", "support", press("Put it on the list", url="http://x.example")),
    Scene("other shop", "/staff/elsewhere/{number}", "support", case="elsewhere"),
    Scene("demand", "/staff/demand", "support"),
    Scene("demand, none", "/staff/demand?from=2024-01&to=2024-02", "support"),
    Scene("demand, wrong", "/staff/demand?from=2026-12&to=2026-01", "support"),
    Scene("demand, named", "/staff/demand/named", "support"),
]

SCENES = [
    Scene("landing", "/"),
    Scene("landing, come in already", "/", "fresh"),
    Scene("landing, wrong", "/", act=press("Send me a code", email="nobody")),
    Scene("code", "/", act=press("Send me a code", number="77", email="ana@example.com")),
    Scene("code, wrong", "/", act=press("Send me a code", "Go on", number="77", email="ana@example.com")),
    Scene("landing, from a packing slip", "/?order=77"),
    Scene("link, a return", "signed:/returns/{rma}", case="filed"),
    Scene("link, a code asked for", "signed:/returns/{rma}", act=press("Send me a code"), case="filed"),
    Scene("link, is it you?", "signed:/orders/{number}", act=press("Get my label"), case="fresh"),
    Scene("link, to another order", "signed:/orders/{number}", "filed", case="fresh"),
    Scene("from the shop", "signed:shop"),
    Scene("from the shop, come in", "signed:shop", act=press("Show my orders")),
    Scene("my orders", "/my-orders", "filed"),
    Scene("which e-mails", "signed:choices"),
    Scene("menu of the staff", "/staff/hours", "admin", open_menu),
    Scene("choose", "/orders/{number}", "fresh"),
    Scene("choose, with amounts", "/orders/{number}", "fresh", choose_something),
    Scene("choose, wrong", "/orders/{number}", "fresh", press("Get my label")),
    Scene("choose, something filed", "/orders/{number}", "filed"),
    Scene("choose, too late", "/orders/{number}", "closed"),
    Scene("choose, cancelled order", "/orders/{number}", "cancelled order"),
    *(Scene(f"return, {state}", "/returns/{rma}", state) for state in _STATES),
    Scene("return, account wrong", "/returns/{rma}", "no account", press("Use this account", bank_account="12")),
    Scene("claim, new", "/claims/new/{number}", "fresh"),
    Scene("claim, new, wrong", "/claims/new/{number}", "fresh", press("Tell the shop")),
    Scene("claim, too late", "/claims/new/{number}", "cancelled order"),
    *(Scene(state, "/orders/{number}", state, the_claim) for state in _CLAIMS),
    Scene("choose, something claimed", "/orders/{number}", "claim"),
    Scene("claims", "/claims", "support"),
    Scene("claims, none", "/claims?status=withdrawn", "finance"),
    Scene("claims, one", "/claims", "support", decide_a_claim()),
    Scene("claims, one, wrong", "/claims", "support", decide_a_claim("Decide it")),
    Scene("gift, the way in", "/gift"),
    Scene("gift, the way in, wrong", "/gift", act=press("Send me a code", code="G-1")),
    Scene("gift, the code", "/gift", act=press("Send me a code", number="7", postcode="1463", email="oma@example.com")),
    Scene("gift, what goes back", "/gift/items", "gift"),
    Scene("gift, what goes back, wrong", "/gift/items", "gift", press("Get my label")),
    Scene("gift, all gone back", "/gift/items", "gift filed"),
    Scene("gift, its return", "/returns/{rma}", "gift filed"),
    Scene("gift, what is had in exchange", "/gift/items", "gift to exchange"),
    Scene("gift, its return with an exchange", "/returns/{rma}", "gift exchanged"),
    Scene("gift, its exchange", "/exchanges/{rma}", "gift exchange"),
    Scene("gift, by a link", "signed:/returns/{rma}", case="gift filed"),
    Scene("gift, by a link, is it you?", "signed:/returns/{rma}", act=to_the_gift, case="gift filed"),
    Scene("gift, by a link, the code", "signed:/returns/{rma}", act=press("Send me a code"), case="gift filed"),
    Scene("gift, by a link, from an order", "signed:/returns/{rma}", "filed", case="gift filed"),
    Scene("gift, no points", "/points", "gift"),
    Scene("gift, points", "/points", "gift paid"),
    Scene("gift, for the receiver", "/gift/codes/{number}", "fresh"),
    Scene("gift, for the receiver, a code", "/gift/codes/{number}", "fresh", press("Show the gift code")),
    Scene("gift, for the receiver, of nothing", "/gift/codes/{number}", "fresh", for_nothing),
    Scene("return, other place for the money", "/returns/{rma}", "filed", open_details),
    Scene("return, points without a tick", "/returns/{rma}", "filed", take_points),
    Scene("return, items", "/returns/{rma}/items", "partly filed"),
    Scene("return, items, none left", "/returns/{rma}/items", "partly filed", take_all_out),
    Scene("parcel", "/returns/{rma}/parcel", "parcel leads"),
    Scene("parcel, of another return", "/returns/{rma}/parcel", "parcel follows"),
    Scene("choose, in which parcel", "/orders/{number}?in_parcel_of={rma}", "parcel offered", choose_something),
    Scene("returns", "/returns", "filed"),
    Scene("returns, none", "/returns", "fresh"),
    Scene("my points", "/points", "points"),
    Scene("my points, a code", "/points", "points", a_code),
    Scene("my points, too many wanted", "/points", "points", too_many_points),
    Scene("my points, none", "/points", "fresh"),
    Scene("withdraw", "/withdraw"),
    Scene("withdraw, wrong", "/withdraw", act=press("Go on")),
    Scene("withdraw, confirm", "/withdraw", act=press("Go on", **_STATEMENT)),
    Scene("withdraw, received", "/withdraw", act=press("Go on", "Confirm withdrawal", **_STATEMENT)),
    Scene("privacy", "/privacy"),
    Scene("privacy, wrong", "/privacy", act=press("Send me the link")),
    Scene("privacy, forget me", "/privacy", act=a_wish("Forget me")),
    Scene("privacy, my files", "/privacy", act=my_files),
    Scene("privacy, forgotten", "/privacy/erased"),
    Scene("sign-in", "/sign-in"),
    Scene("sign-in, wrong", "/sign-in", act=press("Sign in", email="ana@example.com", password="wrong")),
    Scene("station, where it stands", "/station", "warehouse"),
    Scene("station", "/station", "warehouse", stand_in),
    Scene("station, to stand elsewhere", "/station", "warehouse", stand_elsewhere),
    Scene("station, found", _SCAN, "warehouse", open_details, case="to count"),
    Scene("station, counted", _SCAN, "warehouse", keys("1", words="counted"), case="to count"),
    Scene("station, unseen", _SCAN, "warehouse", keys("Enter", words="not seen"), case="to count"),
    Scene("station, closed", _SCAN, "warehouse", keys("1", "Enter", words="Undo last"), case="to close"),
    Scene("station, closed before", _SCAN, "warehouse", case="partly here"),
    Scene("station, one of a parcel", _SCAN, "warehouse", case="parcel leads"),
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
    Scene("dock's warehouses, wrong", "/station/rules", "admin", press("Let it hold", warehouses="Lviv\nLviv")),
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
    Scene("deadlines, wrong", "/finance/deadlines?days=soon", "finance"),
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
    Scene("choose, an exchange", "/orders/{number}", "exchangeable", look_for_another),
    *(Scene(state, "/exchanges/{rma}", state) for state in _EXCHANGES),
    Scene("exchange, card wrong", "/exchanges/{rma}", "exchange to pay", press("Pay €")),
    Scene("return, exchanged", "/returns/{rma}", "exchange to pay, its return"),
    Scene("choose, an exchange at once", "/orders/{number}", "exchangeable", choose_at_once),
    *(Scene(state, "/exchanges/{rma}", state) for state in AT_ONCE),
    Scene("return, exchanged at once", "/returns/{rma}", "at once, its return"),
    Scene("exchanges to send", "/station/exchanges", "warehouse"),
    Scene("exchanges to send, one", "/station/exchanges?code={rma}", "warehouse", case="exchange to send"),
    Scene("anew to send, one", "/station/exchanges?code={rma}", "warehouse", case="anew to send"),
    Scene("anew to send, for support", "/claims?status=replacing", "support", the_article),
    Scene("exchanges", "/staff/exchanges", "finance"),
    Scene(
        "exchanges, none",
        "/staff/exchanges?after=00000000-0000-7000-8000-000000000000",
        "finance",
    ),
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
    Scene("policy", "/staff/policies", "admin"),
    Scene("policy, one more rule", "/staff/policies", "admin", press("Add a rule")),
    Scene("policy, wrong", "/staff/policies", "admin", press("Save as the next version", return_days="3")),
    Scene("policy, of an order", "/staff/policies", "admin", press("Show it for this order", order_number="3206")),
    *(
        Scene(f"by policy, {name}", "/returns/{rma}" if name in promises.FILED else "/orders/{number}", name)
        for name in promises.NAMES
    ),
    Scene("proof of sending, wrong", "/returns/{rma}", "own label", press("I have sent it", carrier="DHL")),
    Scene("contact", "/contact"),
    Scene("question, new", "/questions/new"),
    Scene("question, new, wrong", "/questions/new", act=press("Send the question", email="nobody")),
    Scene("question, sent", "/questions/new", act=press("Send the question", body="Is it?", email="eve@example.com")),
    Scene("question, about a return", "/questions/new?about=/returns/{rma}", "filed"),
    *(Scene(name, "/questions/{number}", name) for name in _QUESTIONS),
    Scene("question, wrong", "/questions/{number}", "question asked", press("Send", body=" ")),
    Scene("my questions", "/questions", "question answered"),
    Scene("my questions, none", "/questions", "filed"),
    Scene("questions", "/staff/questions", "support"),
    Scene("questions, none", "/staff/questions?show=mine", "support"),
    *(Scene(f"{name}, staff", "/staff/questions/{number}", "support", open_details, name) for name in _QUESTIONS),
    Scene("questions, measured", "/staff/service", "support"),
    Scene("questions, measured, wrong", "/staff/service?from=2026-12-01&to=2026-01-01", "support"),
    Scene("question by mail, staff", "/staff/questions/{number}", "support", open_details, "question by mail"),
    Scene(
        "question, staff, wrong",
        "/staff/questions/{number}",
        "support",
        press("Send the answer", body=" "),
        "question asked",
    ),
    *WANTED,
    *(Scene(*scene) for scene in INBOX),
    Scene("new orders", "/staff/confirming", "admin"),
    Scene("new orders, wrong", "/staff/confirming", "admin", press("Save", call_from="EUR")),
    Scene("courier", "/staff/announce", "warehouse"),
    Scene("courier, nowhere", "/staff/announce?number=nothing", "support"),
    Scene("courier, of an order", "/staff/announce?number=3942", "support"),
    Scene("courier, too late", "/staff/announce?number=3942", "support", press("Tell the customer", on="2026-01-01")),
    Scene("calls", "/staff/calls", "support"),
    *(Scene(f"calls, {shown}", f"/staff/calls?show={shown}", "support") for shown in ("later", "over")),
    *(Scene(name, "/staff/calls/{number}", "support", case=name) for name in CALLS),
    Scene("call, wrong", "/staff/calls/{number}", "support", press("Note it", note="?"), "call waiting"),
    Scene("hours", "/staff/hours", "support"),
    Scene("weak points", "/insights", "finance"),
    Scene("weak points, none", "/insights?from=2020-01-01&to=2020-02-01", "finance"),
    Scene("weak points, wrong", "/insights?from=2026-12-01&to=2026-01-01", "finance"),
    *(
        Scene(f"weak points by {by}", f"/insights/{by}", "support")
        for by in ("product", "size", "supplier", "warehouse", "month")
    ),
    Scene("weak points, counted in a warehouse", "/insights/warehouse?measure=came_damaged", "finance"),
    Scene("weak points, questions", "/insights/product?measure=asked", "support"),
    Scene("weak points, rows", "/insights/product/rows?measure=too_small&key=weak-boot", "support"),
    Scene("weak points, no rows", "/insights/product/rows?measure=late&key=weak-boot", "finance"),
    Scene("how it fits", "/insights/fit", "support"),
    Scene("how a product fits", "/insights/fit/weak-boot", "support"),
    Scene("product that runs small", "/shop/weak-boot"),
    Scene("hours, to be changed", "/staff/hours", "admin"),
    Scene("hours, wrong", "/staff/hours", "admin", press("Save", **{"phone-0": "nine to five", "goal": "soon"})),
    Scene("loyal customers", "/staff/loyalty", "admin"),
    Scene("loyal customers, wrong", "/staff/loyalty", "admin", press("Save the levels", **{"values-0": "much"})),
    Scene("surprises, wrong", "/staff/loyalty", "admin", press("Save the surprises", budget="much")),
    Scene("points as thanks, wrong", "/staff/loyalty", "admin", press("Save the points", thanks_points="5")),
    Scene("a customer's level", "/staff/loyalty/customers", "support", press("Look", email="kunde@example.com")),
    Scene("a level, unknown", "/staff/loyalty/customers", "support", press("Look", email="nobody@example.com")),
    Scene("what surprises bring", "/staff/loyalty/report", "finance"),
    Scene("looks", "/staff/looks", "admin"),
    Scene("looks, tried", "/staff/looks", "admin", press("Look at it first", accent="#9a1f40")),
    Scene("looks, wrong", "/staff/looks", "admin", press("Save", accent="#ffcc00")),
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
