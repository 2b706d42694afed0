"""Placing trials: stock, limits, points, and calling them off."""

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import text

from returns_portal.actor import SYSTEM, Actor
from returns_portal.errors import ConflictError, DomainError, InvalidError, NotFoundError
from returns_portal.points.redemptions import Hold, hold
from returns_portal.tryon import asking, calling_off
from returns_portal.tryon.models import ChargeKind, Mode, Outcome, Strategy, TrialStatus
from returns_portal.tryon.ordering import Wanted
from returns_portal.tryon.queries import TrialView, trial_for
from tests.orders.samples import an_order
from tests.points.purse import give
from tests.portal import API, Portal, at_once
from tests.tryon.money import days_later, given
from tests.tryon.samples import ADDRESS, MARIA, PRICE, TERMS, boots, place, seen, shipped

pytestmark = pytest.mark.anyio


async def stock(portal: Portal) -> dict[str, int]:
    return {row.sku: row.stock for row in await portal.rows("SELECT sku, stock FROM variant ORDER BY sku")}


async def change_policy(portal: Portal, **columns: object) -> None:
    async with portal.begin() as db:
        for name, value in columns.items():
            await db.execute(text(f"UPDATE trial_policy SET {name} = :value"), {"value": value})  # noqa: S608 - ours


async def test_four_sizes_are_an_order_that_costs_nothing_yet(portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=3)
    assert (trial.status, trial.strategy, trial.max_charge, trial.charge_today) == ("placed", "hold", 4 * PRICE, 0)
    assert [(item.size, item.price, item.decision, item.outcome) for item in trial.items] == [
        (size, PRICE, "undecided", "open") for size in ("40", "41", "42", "43")
    ]
    [charge] = trial.charges
    assert (charge.kind, charge.status, charge.amount) == (ChargeKind.HOLD, "planned", 4 * PRICE)
    assert set((await stock(portal)).values()) == {9}
    [order] = await portal.rows("SELECT number, total, delivered_at, source FROM orders")
    assert tuple(order) == (trial.number, 0, None, "trial")
    [job] = await portal.rows("SELECT task_name, args FROM procrastinate_jobs")
    assert (job.task_name, job.args) == ("tryon.submit", {"charge_id": str(charge.id)})
    assert (trial.terms, trial.silence_keeps) == (TERMS, True)


async def test_silence_is_a_yes_only_where_the_terms_say_so(portal: Portal) -> None:
    skus = await boots(portal)
    own = await place(portal, skus[:1], terms="", silence_keeps=False, trial_days=21)
    assert "ends 21 days later" in own.terms
    assert "What you say nothing about until the end counts as kept, and is charged." in own.terms
    assert own.silence_keeps
    other = await place(portal, skus[:1], terms="You pay for what you keep.", silence_keeps=False)
    assert (other.terms, other.silence_keeps) == ("You pay for what you keep.", False)
    await change_policy(portal, silence_keeps=False)
    assert not (await place(portal, skus[:1], email="ana@example.com")).silence_keeps
    shops = await place(portal, skus[:1], email="ana@example.com", terms="", silence_keeps=False)
    assert "is not bought by that, and is not charged" in shops.terms
    assert not shops.silence_keeps


async def test_a_long_trial_keeps_the_card_and_holds_nothing(portal: Portal) -> None:
    trial = await place(portal, await boots(portal), trial_days=21)
    assert trial.strategy is Strategy.CARD_ON_FILE
    assert trial.strategy_reason["code"] == "outlasts_hold"
    assert [(charge.kind, charge.amount) for charge in trial.charges] == [(ChargeKind.SETUP, 0)]


async def test_two_of_one_size_are_two_items(portal: Portal) -> None:
    [sku, *_] = await boots(portal)
    trial = await place(portal, [], items=[Wanted(sku, 1), Wanted(sku, 1)])
    assert len(trial.items) == 2
    assert (await stock(portal))[sku] == 8


async def test_a_deposit_is_charged_at_checkout_and_held_no_second_time(portal: Portal) -> None:
    await change_policy(portal, deposit_percent=10)
    trial = await place(portal, await boots(portal), trial_days=3)
    assert trial.charge_today == 4 * PRICE // 10
    amounts = {charge.kind: charge.amount for charge in trial.charges}
    assert amounts == {ChargeKind.DEPOSIT: 4 * PRICE // 10, ChargeKind.HOLD: 4 * PRICE - 4 * PRICE // 10}


async def test_a_purchase_is_charged_in_full(portal: Portal) -> None:
    skus = await boots(portal)
    trial = await place(portal, skus[:1], mode=Mode.PURCHASE)
    assert [(charge.kind, charge.amount) for charge in trial.charges] == [(ChargeKind.DEPOSIT, PRICE)]
    assert [item.outcome for item in trial.items] == [Outcome.KEPT]


async def test_points_pay_a_part_and_are_set_aside(portal: Portal) -> None:
    await give(portal, 5_000, email=MARIA)
    trial = await place(portal, await boots(portal), points=2_000, trial_days=3)
    assert (await portal.points(MARIA))["EUR"] == 3_000
    assert [charge.amount for charge in trial.charges] == [4 * PRICE - 2_000]
    async with portal.begin() as db:
        await calling_off.cancel(db, API, trial.number)
    assert (await portal.points(MARIA))["EUR"] == 5_000


async def test_more_points_than_there_are_hold_nothing_and_take_no_stock(portal: Portal) -> None:
    await give(portal, 100, email=MARIA)
    skus = await boots(portal)
    with pytest.raises(ConflictError) as refused:
        await place(portal, skus, points=101)
    assert refused.value.code == "too_few_points"
    assert set((await stock(portal)).values()) == {10}
    assert not await portal.rows("SELECT id FROM trial")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"items": [Wanted("boot-40", 7)]}, "too_many_items"),
        ({"shipping_address": ADDRESS | {"country": "CH"}}, "country"),
        ({"trial_days": 31}, "too_many_days"),
        ({"items": [Wanted("boot-40", 11)], "mode": Mode.PURCHASE}, "out_of_stock"),
    ],
)
async def test_the_shops_limits_refuse_with_a_reason(portal: Portal, changes: dict[str, Any], code: str) -> None:
    await change_policy(portal, countries=["BG", "DE"])
    skus = await boots(portal)
    with pytest.raises(ConflictError) as refused:
        await place(portal, skus, **changes)
    assert refused.value.code == code
    assert set((await stock(portal)).values()) == {10}


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "maria"},
        {"name": "  "},
        {"items": []},
        {"items": [Wanted("boot-40", 0)]},
        {"items": [Wanted("boot-40", 51)]},
        {"items": [Wanted("boot-40", 21)], "mode": Mode.PURCHASE},
        {"items": [Wanted("unknown")]},
        {"trial_days": 0},
        {"points": -1},
        {"shipping_address": ADDRESS | {"city": ""}},
    ],
)
async def test_bad_input_is_refused_by_name(portal: Portal, changes: dict[str, Any]) -> None:
    skus = await boots(portal)
    with pytest.raises(DomainError) as refused:
        await place(portal, skus, **changes)
    assert isinstance(refused.value, InvalidError | NotFoundError)
    assert not await portal.rows("SELECT id FROM orders")


async def test_prices_in_two_currencies_are_two_orders(portal: Portal) -> None:
    from returns_portal.catalog.intake import VariantInput  # noqa: PLC0415 - for this one alone

    skus = await boots(portal)
    yen = [VariantInput(sku="geta", size="M", price=9_000, currency="JPY", stock=3)]
    skus += await boots(portal, handle="geta", title="Geta", variants=yen)
    with pytest.raises(InvalidError):
        await place(portal, skus)


async def test_of_fifty_who_want_the_last_pair_one_gets_it(portal: Portal) -> None:
    [sku, *_] = await boots(portal, stock=1)
    found = await at_once(*(place(portal, [sku], email=f"c{n}@example.com") for n in range(50)))
    assert sum(isinstance(each, TrialView) for each in found) == 1
    refused = [each for each in found if not isinstance(each, TrialView)]
    assert {type(each) for each in refused} == {ConflictError}
    assert {each.code for each in refused} == {"out_of_stock"}
    assert (await stock(portal))[sku] == 0


async def test_a_customer_who_clicks_in_ten_windows_has_two_trials(portal: Portal) -> None:
    [sku, *_] = await boots(portal, stock=20)
    placed = await at_once(*(place(portal, [sku], email="  Maria@Example.com") for _ in range(10)))
    await at_once(*(asking.submit(portal.context, trial.charges[0].id) for trial in placed))
    await portal.work()
    found = Counter([(await seen(portal, trial)).status for trial in placed])
    assert found == {TrialStatus.AUTHORISED: 2, TrialStatus.CANCELLED: 8}
    assert (await stock(portal))[sku] == 18
    told = await portal.rows("SELECT values FROM email WHERE template = 'trial_cancelled'")
    assert [row.values["why"] for row in told] == ["too_many_trials"] * 8
    with pytest.raises(ConflictError) as refused:
        await place(portal, [sku])
    assert refused.value.code == "too_many_trials"


async def test_orders_that_no_bank_agreed_to_keep_nobody_from_ordering(portal: Portal) -> None:
    skus = await boots(portal)
    for _ in range(3):
        await place(portal, skus, payment_method="pm_card_chargeDeclined")
        await portal.work()
    trial = await place(portal, skus)
    await portal.work()
    assert (await seen(portal, trial)).status == TrialStatus.AUTHORISED


async def refused_card(portal: Portal, sku: str) -> TrialView:
    trial = await place(portal, [sku], payment_method="pm_card_chargeDeclined")
    await portal.work()
    await days_later(portal, 59 / 24 / 60)
    assert (await stock(portal))[sku] == 0
    await days_later(portal, 61 / 24 / 60)
    assert (await stock(portal))[sku] == 1
    return trial


async def test_without_a_card_others_may_have_it_after_an_hour(portal: Portal) -> None:
    [sku, *_] = await boots(portal, stock=1)
    trial = await refused_card(portal, sku)
    other = await place(portal, [sku], email="ana@example.com")
    with pytest.raises(ConflictError) as refused:
        await given(portal, trial, "pm_card_visa")
    assert refused.value.code == "out_of_stock"
    async with portal.begin() as db:
        await calling_off.cancel(db, API, trial.number)
    assert (await stock(portal))[sku] == 0
    async with portal.begin() as db:
        await calling_off.cancel(db, API, other.number)
    assert (await stock(portal))[sku] == 1


async def test_who_comes_back_with_a_card_has_it_if_it_is_still_there(portal: Portal) -> None:
    [sku, *_] = await boots(portal, stock=1)
    trial = await given(portal, await refused_card(portal, sku), "pm_card_visa")
    assert trial.status == TrialStatus.AUTHORISED
    assert (await stock(portal))[sku] == 0


async def test_a_bank_that_agrees_when_all_is_sold_lets_its_money_go(portal: Portal) -> None:
    [sku, *_] = await boots(portal, stock=1)
    trial = await place(portal, [sku], trial_days=3)
    async with portal.begin() as db:
        await calling_off.put_back(db, await trial_for(db, API, trial.number, lock=True))
    await place(portal, [sku], email="ana@example.com")
    await portal.work()
    trial = await seen(portal, trial)
    assert (trial.status, trial.held) == (TrialStatus.CANCELLED, 0)
    assert (await stock(portal))[sku] == 0


async def test_cancelled_everything_goes_back_once(portal: Portal) -> None:
    trial = await place(portal, await boots(portal))

    async def cancel() -> TrialView:
        async with portal.begin() as db:
            return await calling_off.cancel(db, API, trial.number)

    found = await at_once(*(cancel() for _ in range(8)))
    assert {each.status for each in found} == {TrialStatus.CANCELLED}
    assert set((await stock(portal)).values()) == {10}
    assert (await portal.mails()).count("trial_cancelled") == 1


async def test_what_is_not_theirs_does_not_exist(portal: Portal) -> None:
    trial = await place(portal, await boots(portal))
    other, _ = await portal.order()
    [row] = await portal.rows("SELECT id FROM orders WHERE number = :number", number=other.number)
    stranger = Actor(kind="customer", id=str(row.id), order_id=row.id)
    owner = Actor(kind="customer", id=str(trial.order_id), order_id=trial.order_id)
    async with portal.begin() as db:
        assert (await trial_for(db, owner, trial.number.lower().replace("-", " "))).id == trial.id
        with pytest.raises(NotFoundError):
            await trial_for(db, stranger, trial.number)
        with pytest.raises(NotFoundError):
            await calling_off.cancel(db, stranger, trial.number)
        with pytest.raises(NotFoundError):
            await trial_for(db, owner, "T-0000-0000")


async def test_an_order_of_the_shop_cannot_take_a_trials_number(portal: Portal) -> None:
    trial = await place(portal, await boots(portal))
    with pytest.raises(ConflictError) as refused:
        await portal.order(number=trial.number)
    assert refused.value.code == "order_is_trial"
    assert an_order().number != trial.number


async def test_nothing_is_sent_before_the_bank_agreed(portal: Portal) -> None:
    trial = await place(portal, await boots(portal))
    with pytest.raises(ConflictError) as refused:
        await shipped(portal, trial)
    assert refused.value.code == "not_authorised"


async def test_points_held_elsewhere_are_not_spent_twice(portal: Portal) -> None:
    await give(portal, 1_000, email=MARIA)
    async with portal.begin() as db:
        await hold(db, SYSTEM, Hold(MARIA, "EUR", 600))
    skus = await boots(portal)
    with pytest.raises(ConflictError):
        await place(portal, skus, points=500)
