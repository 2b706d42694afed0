"""What there is to see: returns of imported orders in every state, the people who look at them, what finance waits for.

All of it comes about by the portal's own actions, before its processes start; only the past (a window that has closed,
a deadline that has passed) is written into the tables.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from returns_portal import clock
from returns_portal.accounts import actions as accounts
from returns_portal.accounts.rules import CUSTOMER_SESSION, STAFF_SESSION
from returns_portal.actor import SYSTEM, Actor
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.claims import deciding as claims_deciding
from returns_portal.claims.actions import file_claim
from returns_portal.claims.deciding import Verdict
from returns_portal.claims.models import Kind, Remedy
from returns_portal.claims.rules import ClaimWish
from returns_portal.db import beginner, create_engine
from returns_portal.exchanges import ending, paying, sending
from returns_portal.exchanges.models import EndReason
from returns_portal.finance import credit_notes, proofs
from returns_portal.orders.intake import PaymentInput
from returns_portal.payments.models import Tender
from returns_portal.payments.stripe import StripeGateway
from returns_portal.photos import rebuilt
from returns_portal.refunds.actions import correct
from returns_portal.refunds.deciding import decide
from returns_portal.refunds.filing import cancel, file
from returns_portal.refunds.goodwill import Gesture, give
from returns_portal.refunds.life import transition
from returns_portal.refunds.models import RefundStatus
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.returns.withdrawals import state_withdrawal
from returns_portal.settings import Settings
from returns_portal.shop.actions import update_shop
from returns_portal.shop.hours import Channel, Hours
from returns_portal.shop.queries import current
from returns_portal.tryon import settling, shipping
from returns_portal.tryon.models import Decision
from returns_portal.warehouse.found import keep
from returns_portal.warehouse.items import send_to
from returns_portal.warehouse.models import Condition, Disposition
from returns_portal.warehouse.pictures import add_photo
from returns_portal.warehouse.rules import Counted
from tests.browser import promises, road
from tests.browser.anew import replacements
from tests.browser.asked import asked
from tests.browser.at_once import exchanges_at_once
from tests.browser.confirmed import confirmed
from tests.browser.desk import desk
from tests.browser.gifts import gifts
from tests.browser.thanked import thanked
from tests.browser.wanted import wanted
from tests.browser.weak import WAREHOUSES, weak
from tests.catalog.pictures import a_picture
from tests.exchanges.samples import a_boot, exchanged, the_one
from tests.finance.seed import stories
from tests.orders.samples import PLACED, a_line
from tests.portal import API, Portal
from tests.sandboxes import KEY
from tests.tryon import samples
from tests.webclient import add_staff

IBAN = "BG80 BNBG 9661 1020 3456 78"
_HOUR = 3600


_TAKEN = ["1002", "1003", "1061", "1019", "1054", "1011", "1045", "1039", "1040", "1063", "1085"]
_UNTOUCHED = """
    SELECT o.number FROM orders o WHERE o.financial_status = 'paid' AND o.fulfillment_status = 'fulfilled'
    AND o.cancelled_at IS NULL AND o.number LIKE '10%' AND NOT o.number = ANY(:taken)
    AND NOT EXISTS (SELECT FROM returns r WHERE r.order_id = o.id) ORDER BY o.number DESC LIMIT 16
"""


class Case(msgspec.Struct, frozen=True):
    """An order, its return if one was filed, and the session of its customer."""

    number: str
    rma: str
    token: str


class Stage(msgspec.Struct):
    """Everything by name: the customers' cases by their state, the staff's sessions by their role."""

    cases: dict[str, Case] = {}
    staff: dict[str, str] = {}
    refunds: dict[str, UUID] = {}


async def set_up(database_url: str, settings: Settings) -> Stage:
    """Make it all happen."""
    engine = create_engine(database_url)
    async with StripeGateway(key=KEY, base=settings.stripe_base) as gateway:
        director = _Director(Portal(beginner(engine), settings, gateway, database_url))
        # The payments of the import come to be first: without them nothing could be refunded.
        await director.portal.work()
        await director.nothing_filed()
        await director.settled()
        await director.waiting()
        await director.at_the_dock()
        await director.portal.work()
        await director.on_the_road()
        await director.trials()
        await director.exchanges()
        await director.unsettled()
        await director.by_policy()
        await director.tasks_of_finance()
        await director.rarely_looked_at()
        await director.claims()
        await director.anew()
        await gifts(director.portal, director._keep)
        await director.together()
        await director.served()
        await director.questions()
        await weak(director.portal)
        await thanked(director.portal)
        await director.hire()
    await engine.dispose()
    return director.stage


class _Director:
    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.stage = Stage()

    async def hire(self) -> None:
        for role in ("warehouse", "finance", "support", "admin"):
            async with self.portal.begin() as db:
                staff_id = await add_staff(db, f"{role}@shop.example", role)
                self.stage.staff[role] = await accounts.open_session(db, lasting=STAFF_SESSION, staff_id=staff_id)

    async def served(self) -> None:
        """Somebody is there on some days, and not on others."""
        day = ((540, 750), (810, 1080))
        week = (day, day, day, day, day, (), ((0, 1440),))
        today = clock.now().date()
        closed = {today + timedelta(days=days): "Weihnachtsfeiertage und Betriebsferien" for days in (7, 8)}
        hours = Hours(
            phone=Channel(week, {today + timedelta(days=7): ((600, 840),)}), written=Channel(week), closed=closed
        )
        async with self.portal.begin() as db:
            await update_shop(db, SYSTEM, hours=hours)

    async def questions(self) -> None:
        """Cases go by the id of the question, or of the call."""
        for made in (asked, desk, confirmed):
            for name, identity, token in await made(self.portal, self._enter):
                self.stage.cases[name] = Case(str(identity), "", token)
        for name, number in await wanted(self.portal):
            self.stage.cases[name] = Case(number, "", "")

    async def nothing_filed(self) -> None:
        for name, number in (("fresh", "1061"), ("cancelled order", "1019"), ("closed", "1054")):
            await self._enter(name, number)
        await self._change("UPDATE orders SET delivered_at = now() - interval '400 days' WHERE number = '1054'")

    async def on_the_road(self) -> None:
        await road.rules(self.portal)
        for place, name in enumerate(road.NAMES):
            number = str(3101 + place)
            await self.portal.order(number=number, shipped_at=PLACED, delivered_at=None)
            case = await self._file(name, number)
            await road.travel(self.portal, name, case.rma)

    async def by_policy(self) -> None:
        for name, number in (await promises.promise(self.portal)).items():
            await (self._file(name, number) if name in promises.FILED else self._enter(name, number))

    async def settled(self) -> None:
        await self._arrive("refunded", "1006", Condition.RESELLABLE)
        await self._arrive("points", "1007", Condition.WORN, to=RefundTo.POINTS)
        for name, number, account in (("transfer", "3001", IBAN), ("no account", "3002", None)):
            paid = [PaymentInput(tender=Tender.EXTERNAL, amount=32290)]
            await self.portal.order(number=number, shipped_at=PLACED, delivered_at=None, payments=paid)
            await self._arrive(name, number, Condition.RESELLABLE, account=account)
        cancelled = await self._file("cancelled", "1017")
        async with self.portal.begin() as db:
            await cancel(db, API, cancelled.rma)

    async def waiting(self) -> None:
        await self._file("filed", "1005")
        await self._file_a_part("partly filed", "1012")
        await self._file("to count", "1010")
        await self._file("to close", "1090")
        for name, number in (("damaged", "1023"), ("overdue", "1015"), ("in part", "1018"), ("sent back", "1053")):
            await self._arrive(name, number, Condition.DAMAGED)
        await self._decide("in part", "part", amount=500, reason="A stain on the sleeve")
        await self._decide("sent back", "send_back", reason="The label is of another shop")
        overdue = self.stage.cases["overdue"].rma
        await self._change(
            "UPDATE returns SET refund_deadline = now() - interval '1 day' WHERE rma = :rma", rma=overdue
        )
        partly = await self._file("partly here", "1021")
        lines = await self._lines(partly.number)
        await self.portal.receive(partly.rma, (lines[0].id, 1, Condition.RESELLABLE))

    async def at_the_dock(self) -> None:
        """A parcel without a name, with a photo, and goods that another person has to agree on."""
        dock = Actor(kind="staff", id="ivo", grants=frozenset({"warehouse"}))
        async with self.portal.begin() as db:
            await update_shop(db, SYSTEM, warehouses=list(WAREHOUSES))
            sender = "…etrova, Plovdiv"
            found = await keep(db, dock, shelf="A 3", description="A torn box", sender=sender, codes=["999"])
            await add_photo(db, dock, rebuilt(a_picture(size=(800, 600))), found_id=found)
        for place, order in enumerate(await self.portal.rows(_UNTOUCHED, taken=_TAKEN)):
            await self._file(f"dock {place}", order.number)
        (item,) = await self.portal.rows(
            "SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id"
            " WHERE r.rma = :rma LIMIT 1",
            rma=self.stage.cases["partly here"].rma,
        )
        async with self.portal.begin() as db:
            await send_to(db, dock, item.id, Disposition.DONATE)

    async def unsettled(self) -> None:
        """Refunds that stand still where they are seldom seen: their jobs are taken away."""
        await self._arrive("on its way", "1045", Condition.RESELLABLE, delay=_HOUR)
        for name, number, status in (
            ("failed", "1039", RefundStatus.FAILED),
            ("unknown", "1040", RefundStatus.UNKNOWN),
            ("unpayable", "1063", None),
        ):
            case = await self._arrive(name, number, Condition.RESELLABLE)
            if status is None:
                await self._change(
                    "UPDATE payment SET status = 'failed' WHERE order_id = (SELECT id FROM orders WHERE number = :n)",
                    n=case.number,
                )
                continue
            failure = "expired_or_canceled_card" if status is RefundStatus.FAILED else None
            async with self.portal.begin() as db:
                await transition(db, SYSTEM, self.stage.refunds[name], RefundStatus.SUBMITTING)
                await transition(db, SYSTEM, self.stage.refunds[name], status, failure=failure)
        await self._change("DELETE FROM procrastinate_jobs WHERE task_name = 'refunds.submit' AND status = 'todo'")

    async def tasks_of_finance(self) -> None:
        """What stands on finance's first page besides, and a month of refunds below it."""
        await self._file("unshipped", "1011")
        _rma, check_in = await self._receive("corrected", "1085", Condition.RESELLABLE, RefundTo.ORIGINAL, None, None)
        await self.portal.work()
        async with self.portal.begin() as db:
            lines = await self._lines("1085")
            count = [Counted(lines[0].id, 1, Condition.DAMAGED)]
            await correct(db, API, self.portal.settings, check_in, count, "One was ours")
            await state_withdrawal(
                db, SYSTEM, name="Boris", order_number="77", email="b@example.com", details="All of it, please"
            )
            await stories(db, 1, 30, start=clock.now() - timedelta(days=20), step=timedelta(hours=15))
        await self._change(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)"
            " VALUES ('default', 'notifications.deliver', '{}', 'failed', 12)"
        )

    async def rarely_looked_at(self) -> None:
        """A dispute, gestures (one of which waits for a second person), credit notes, and a proof that found much."""
        await self._change(
            "INSERT INTO dispute (id, payment_id, gateway_id, charge, status, reason, currency, amount, withdrawn,"
            " opened_at, recorded_at, version, postings, evidence_due_by)"
            " SELECT gen_random_uuid(), p.id, 'du_1', 'ch_1', 'needs_response', 'fraudulent', p.currency, p.amount,"
            " p.amount, now(), now(), 1, 0, now() + interval '3 days' FROM payment p JOIN orders o ON o.id = p.order_id"
            " WHERE o.number = '1006' AND p.tender = 'stripe'"
        )
        for number, amount in (("1005", 100), ("1010", 7_000)):
            async with self.portal.begin() as db:
                wish = Gesture(order_number=number, reason="We are sorry", amount=amount)
                await give(db, API, self.portal.settings, await current(db), wish)
        await credit_notes.issue(self.portal.begin)
        await proofs.prove(self.portal.begin)

    async def claims(self) -> None:
        """Claims that wait, and that were decided either way."""
        cases: list[tuple[str, str, claims_deciding.Decision | None]] = [
            ("claim", "3301", None),
            ("claim returning", "3302", "goods"),
            ("claim refused", "3303", "refusal"),
            ("claim refunded", "3304", "refund"),
        ]
        for name, number, decision in cases:
            await self.portal.order(number=number, shipped_at=PLACED, delivered_at=clock.now() - timedelta(days=9))
            await self.portal.work()
            await self._enter(name, number)
            wish = ClaimWish(
                units={(await self._lines(number))[0].id: 1},
                kind=Kind.DAMAGED,
                remedy=Remedy.REFUND,
                said="The sole came off on the first day.",
            )
            async with self.portal.begin() as db:
                shop = await current(db)
                photos = [rebuilt(a_picture(size=(800, 600)))]
                claim_id = await file_claim(db, API, shop, number, wish, photos)
                if decision:
                    verdict = Verdict(decision=decision, answer="We are sorry for the trouble.")
                    await claims_deciding.decide(db, API, self.portal.settings, shop, claim_id, verdict)

    async def anew(self) -> None:
        """What is sent anew, at every place where somebody stops and looks."""
        await replacements(self.portal, self._enter)

    async def together(self) -> None:
        """Parcels of two orders of one person, an order more that could go in, and people who go through it all."""
        goods = {"3625": a_line(sku="KE-ONE", quantity=1, tax=0), "3626": a_line(sku="SO-TWO", quantity=1, tax=0)}
        people = dict(zip(map(str, range(3621, 3631)), "aaaabbccdd", strict=True))
        for number, person in people.items():
            await self.portal.order(
                number=number,
                email=f"two-{person}@example.com",
                lines=[goods.get(number, a_line(quantity=1, tax=0))],
                shipped_at=PLACED,
                delivered_at=clock.now() - timedelta(days=3),
            )
        await self.portal.work()
        lead = await self._file("parcel leads", "3621")
        await self._join("parcel follows", "3622", lead.rma)
        await self._enter("parcel offered", "3623", lead.rma)
        lead = await self._file("parcel to count", "3625")
        await self._join("parcel to count next", "3626", lead.rma)
        for language, first, second in (("en", "3627", "3628"), ("de", "3629", "3630")):
            await self._file(f"parcel, first, {language}", first)
            await self._enter(f"parcel, second, {language}", second)

    async def _join(self, name: str, number: str, leading: str) -> None:
        wanted = [Wanted(line.id, line.quantity) for line in await self._lines(number)]
        async with self.portal.begin() as db:
            shop, settings = await current(db), self.portal.settings
            made = await file(db, API, settings, shop, number, wanted, RefundTo.ORIGINAL, in_parcel_of=leading)
        await self._enter(name, number, made.rma)

    def _keep(self, name: str, number: str, rma: str, token: str) -> None:
        self.stage.cases[name] = Case(number, rma, token)

    async def trials(self) -> None:
        """Trials at every place where somebody stops and looks."""
        await self._change("UPDATE trial_policy SET open_trials = 50")
        skus = await samples.boots(self.portal, stock=100)
        placed = {
            "trial to pack": "pm_card_visa",
            "trial packed": "pm_card_visa",
            "trial sent": "pm_card_visa",
            "trial runs": "pm_card_visa",
            "trial settles": "pm_card_visa",
            "trial settled": "pm_card_visa",
            "trial refused": "pm_card_chargeDeclined",
            "trial asks": "pm_card_authenticationRequired",
        }
        trials = {
            name: await samples.place(self.portal, skus[:2], payment_method=card, trial_days=3)
            for name, card in placed.items()
        }
        await self.portal.work()
        for name, trial in trials.items():
            await self._enter(name, trial.number)
        async with self.portal.begin() as db:
            await shipping.pack(db, API, trials["trial packed"].number)
        for name in ("trial sent", "trial runs", "trial settles", "trial settled"):
            await samples.shipped(self.portal, trials[name], tracking="1051602736482")
            if name != "trial sent":
                await samples.delivered(self.portal, trials[name])
        await samples.decided(self.portal, trials["trial settles"], Decision.KEEP, Decision.RETURN)
        await samples.decided(self.portal, trials["trial settled"], Decision.KEEP, Decision.KEEP)
        for name in ("trial settles", "trial settled"):
            async with self.portal.begin() as db:
                await settling.begin(db, API, trials[name].number, now_by_staff=True)
        await self.portal.work()

    async def _decide(self, name: str, decision: Any, **more: Any) -> None:  # noqa: ANN401 - as the action takes it
        rma = self.stage.cases[name].rma
        (item,) = await self.portal.rows(
            "SELECT i.id FROM parcel_item i JOIN parcel p ON p.id = i.parcel_id JOIN returns r ON r.id = p.return_id"
            " WHERE r.rma = :rma LIMIT 1",
            rma=rma,
        )
        async with self.portal.begin() as db:
            await decide(db, API, self.portal.settings, item.id, decision, **more)

    async def _arrive(
        self,
        name: str,
        number: str,
        condition: Condition,
        *,
        to: RefundTo = RefundTo.ORIGINAL,
        account: str | None = None,
        delay: int | None = None,
    ) -> Case:
        case, _check_in = await self._receive(name, number, condition, to, account, delay)
        return case

    async def _receive(
        self, name: str, number: str, condition: Condition, to: RefundTo, account: str | None, delay: int | None
    ) -> tuple[Case, UUID]:
        case = await self._file(name, number, to=to, account=account)
        lines = await self._lines(number)
        counts = [(line.id, line.quantity, condition) for line in lines]
        released = await self.portal.receive(case.rma, *counts, delay=delay)
        if released.refund_ids:
            self.stage.refunds[name] = released.refund_ids[0]
        return case, released.check_in_id

    async def exchanges(self) -> None:
        """Exchanges at every place where somebody stops and looks; they come after the boots of the trials."""
        coats = [VariantInput(sku="coat-M", size="M", color="Navy", price=24_900, currency="EUR", stock=30)]
        async with self.portal.begin() as db:
            await put_product(
                db, API, ProductInput(handle="coat", title="Winter coat", kind=ProductKind.CLOTHING, variants=coats)
            )
        waits = {"set aside": "boot-43", "to pay": "coat-M", "asks": "coat-M", "refused": "coat-M"}
        ready = {"to send": "boot-43", "sent": "boot-43", "ended": "boot-43"}
        for place, (name, sku) in enumerate({**waits, **ready}.items()):
            await self._exchange(f"exchange {name}", str(3401 + place), sku, arrives=name in ready)
        await self.portal.order(number="3409", lines=[a_boot(unit_price=18_900)], delivered_at=clock.now())
        await self._enter("exchangeable", "3409")
        cards = {"asks": "pm_card_authenticationRequired", "refused": "pm_card_chargeDeclined"}
        async with self.portal.begin() as db:
            for name, card in cards.items():
                await paying.pay(db, API, self.stage.cases[f"exchange {name}"].rma, card)
            await sending.send(db, API, self.stage.cases["exchange sent"].rma, carrier="Econt", tracking="1051602736")
            await ending.call_off(db, API, self.stage.cases["exchange ended"].rma, EndReason.SOLD_OUT)
        await self.portal.work()
        await exchanges_at_once(self.portal, self._enter)

    async def _exchange(self, name: str, number: str, sku: str, *, arrives: bool) -> None:
        """One exchange of boots; its case goes by the exchange's number, as that of a return goes by its own."""
        _order, [line] = await self.portal.order(number=number, lines=[a_boot(unit_price=18_900)])
        await self.portal.work()
        filed = await exchanged(self.portal, number, line, sku)
        if arrives:
            await self.portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
        await self._enter(f"{name}, its return", number, filed.rma)
        await self._enter(name, number, (await the_one(self.portal, filed)).number)

    async def _file(
        self, name: str, number: str, *, to: RefundTo = RefundTo.ORIGINAL, account: str | None = None
    ) -> Case:
        wanted = [(line.id, line.quantity) for line in await self._lines(number)]
        filed = await self.portal.file(number, *wanted, to=to, bank_account=account)
        return await self._enter(name, number, filed.rma)

    async def _file_a_part(self, name: str, number: str) -> None:
        """The first line alone, so that something can be added."""
        filed = await self.portal.file(number, ((await self._lines(number))[0].id, 1))
        await self._enter(name, number, filed.rma)

    async def _enter(self, name: str, number: str, rma: str = "") -> Case:
        (order,) = await self.portal.rows("SELECT id FROM orders WHERE number = :number", number=number)
        async with self.portal.begin() as db:
            token = await accounts.open_session(db, lasting=CUSTOMER_SESSION, order_id=order.id)
        self.stage.cases[name] = Case(number, rma, token)
        return self.stage.cases[name]

    async def _lines(self, number: str) -> Sequence[Any]:
        return await self.portal.rows(
            "SELECT l.id, l.quantity FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.number = :n"
            " ORDER BY l.position",
            n=number,
        )

    async def _change(self, statement: str, **values: object) -> None:
        async with self.portal.begin() as db:
            await db.execute(text(statement), values)
