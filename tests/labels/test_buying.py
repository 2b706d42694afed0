"""Labels of carriers: bought once, from the first that sells, and nobody is ever left without one."""

from typing import Any, get_args

import pytest

from returns_portal.actor import SYSTEM, Actor
from returns_portal.carriers.gateway import Bought, CarrierUnknownError
from returns_portal.errors import ConflictError
from returns_portal.labels import buying
from returns_portal.labels.actions import again, another, issue
from returns_portal.labels.queries import carriers_pdf, label_content
from returns_portal.labels.voiding import void
from returns_portal.refunds.filing import FiledReturn, cancel
from returns_portal.shop.queries import DEFAULT
from tests.carriers.easypost_server import PDF
from tests.carriers.faults import BodyFault
from tests.carriers.nova_poshta_server import OUTBOUND
from tests.labels.carried import Carried
from tests.orders.samples import a_line
from tests.portal import at_once

pytestmark = pytest.mark.anyio

TWO = [a_line(sku="SHOE"), a_line(sku="SOCKS")]


async def test_without_rules_the_prepaid_label_is_there_at_once(carried: Carried) -> None:
    filed = await carried.filed()
    label = await carried.label(filed)
    assert (label.status, label.carrier, label.code, label.number) == ("bought", "prepaid", filed.rma, 1)
    assert not carried.easypost.server.calls
    assert await carried.portal.mails() == ["return_filed"]


async def test_a_label_is_bought_and_sent_and_its_cost_is_known(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    assert (await carried.label(filed)).status == "requested"
    await carried.portal.work()
    label = await carried.label(filed)
    assert (label.status, label.carrier, label.service) == ("sent", "easypost", "USPS/GroundAdvantage")
    assert (label.cost, label.cost_currency) == (545, "USD")
    assert label.shipment_ref in carried.easypost.bought
    assert label.code == label.tracking != filed.rma
    assert await carried.portal.mails() == ["return_filed", "label_ready"]
    async with carried.portal.begin() as db:
        assert await carriers_pdf(db, SYSTEM, filed.rma) == PDF
    told = await carried.portal.rows("SELECT action FROM history WHERE subject_id = :id ORDER BY at, id", id=label.id)
    assert [row.action for row in told] == ["bought", "sent"]


async def test_while_it_is_made_the_customer_is_told_so(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    async with carried.portal.begin() as db:
        with pytest.raises(ConflictError) as caught:
            await label_content(db, SYSTEM, filed.rma, shop=DEFAULT, sandbox=True)
        assert caught.value.code == "label_requested"
    [mail] = await carried.portal.rows("SELECT values FROM email")
    assert mail.values["label_ready"] is False


async def test_weight_and_addresses_reach_the_carrier(carried: Carried) -> None:
    await carried.rule("easypost")
    filed, label = await carried.bought()
    shipment = carried.easypost.server.shipments[label.shipment_ref]
    # One item of 700 g, where the product does not say.
    assert shipment["parcel"]["weight"] == pytest.approx(24.7)
    assert shipment["from_address"]["name"] == "Олена"
    assert shipment["to_address"]["city"] == "Sofia"
    assert shipment["reference"] == filed.rma


async def test_the_line_is_cut_after_the_purchase_and_the_label_is_bought_once(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    carried.easypost.faults.set("buy", "lost after")
    with pytest.raises(CarrierUnknownError):
        await carried.buy(filed)
    label = await carried.label(filed)
    assert (label.status, label.shipment_ref) == ("requested", carried.easypost.bought[0])
    await carried.buy(filed)
    assert (await carried.label(filed)).status == "sent"
    assert carried.easypost.server.calls.count("buy") == 1
    assert len(carried.easypost.bought) == 1


async def test_several_workers_at_once_buy_one_label(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    label = await carried.label(filed)
    await at_once(*(buying.buy(carried.context, label.id) for _ in range(5)))
    await carried.buy(filed)
    assert (await carried.label(filed)).status == "sent"
    assert len(carried.easypost.bought) == 1
    assert (await carried.portal.mails()).count("label_ready") == 1


async def test_a_carrier_that_refuses_is_passed_over_for_the_next(carried: Carried) -> None:
    await carried.rule("nova_poshta")
    await carried.rule("easypost", "UPS")
    # Nova Poshta did not bring the goods of this order.
    filed = await carried.filed()
    await carried.portal.work()
    label = await carried.label(filed)
    assert (label.carrier, label.service, label.cost) == ("easypost", "UPS/Ground", 600)
    assert "waybill" in label.failure
    assert not carried.nova_poshta.bought


async def test_behind_the_last_rule_is_the_prepaid_label(carried: Carried) -> None:
    await carried.rule("easypost")
    carried.easypost.faults.set("prepare", "refused", lasting=True)
    filed = await carried.filed()
    await carried.portal.work()
    label = await carried.label(filed)
    assert (label.status, label.carrier, label.code, label.cost) == ("bought", "prepaid", filed.rma, None)
    assert "declines" in label.failure
    assert await carried.portal.mails() == ["return_filed", "label_ready"]
    async with carried.portal.begin() as db:
        assert (await label_content(db, SYSTEM, filed.rma, shop=DEFAULT, sandbox=True)).code == filed.rma
        assert await carriers_pdf(db, SYSTEM, filed.rma) is None


async def test_a_carrier_whose_key_was_taken_away_blocks_nobody(carried: Carried) -> None:
    await carried.rule("easypost")
    carried.portal.context = type(carried.context)(carried.portal.begin, *_without_easypost(carried))
    filed = await carried.filed()
    await carried.buy(filed)
    assert (await carried.label(filed)).carrier == "prepaid"


def _without_easypost(carried: Carried) -> list[object]:
    from returns_portal.carriers.prepaid import Prepaid  # noqa: PLC0415 - of this test alone
    from returns_portal.carriers.registry import Carriers  # noqa: PLC0415 - as above

    return [carried.portal.settings, Carriers([Prepaid()])]


async def test_a_carrier_that_is_away_is_passed_over_before_anything_was_asked_of_it(carried: Carried) -> None:
    await carried.rule("easypost")
    carried.easypost.faults.set("prepare", "broken", lasting=True)
    filed = await carried.filed()
    for _ in range(buying.FEW):
        with pytest.raises(CarrierUnknownError):
            await carried.buy(filed)
    await carried.buy(filed)
    await carried.portal.work()
    label = await carried.label(filed)
    assert (label.status, label.carrier) == ("bought", "prepaid")
    assert "did not answer" in label.failure


async def test_what_became_of_a_purchase_is_not_told_for_long_so_another_label_is_made(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    carried.easypost.faults.set("buy", "lost after")
    carried.easypost.faults.set("look_up", "broken")
    with pytest.raises(CarrierUnknownError):
        await carried.buy(filed)
    carried.easypost.faults.set("look_up", "broken", lasting=True)
    first = await carried.label(filed)
    assert first.asked_at is not None or first.attempts
    for _ in range(buying.MANY * 2):
        label = await carried.label(filed)
        if label.id != first.id:
            break
        try:
            await carried.buy(filed)
        except CarrierUnknownError:
            continue
    carried.easypost.faults.clear()
    await carried.portal.work()
    second = await carried.label(filed)
    assert second.id != first.id
    assert (second.status, second.carrier) == ("bought", "prepaid")
    [given_up] = await carried.portal.rows("SELECT * FROM label WHERE id = :id", id=first.id)
    assert given_up.status == "voided"
    # What had been bought after all was given back.
    assert given_up.void_status in {"submitted", "not_applicable"}
    assert carried.easypost.server.calls.count("buy") <= 1


@pytest.mark.parametrize("fault", get_args(BodyFault))
async def test_a_label_whose_file_does_not_come_whole_is_fetched_again_and_at_last_given_up(
    carried: Carried, fault: BodyFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    await carried.rule("easypost")
    # Files alone are waited for by this; what stalls lasts longer.
    monkeypatch.setattr(carried.easypost.carrier, "_seconds", 1)
    server = carried.easypost.server
    server.label_fault = fault
    filed = await carried.filed()
    for attempt in range(1, 3):
        with pytest.raises(CarrierUnknownError):
            await carried.buy(filed)
        label = await carried.label(filed)
        assert (label.status, label.attempts, label.pdf) == ("requested", attempt, None)
    server.label_fault = None
    await carried.buy(filed)
    label = await carried.label(filed)
    assert (label.status, bytes(label.pdf)) == ("sent", PDF)
    assert server.calls.count("buy") == 1


async def test_a_label_whose_file_never_comes_gives_way_to_the_prepaid_one(carried: Carried) -> None:
    await carried.rule("easypost")
    carried.easypost.server.label_fault = "cut"
    filed = await carried.filed()
    for _ in range(buying.MANY):
        with pytest.raises(CarrierUnknownError):
            await carried.buy(filed)
    await carried.buy(filed)
    await carried.portal.work()
    rows = await carried.portal.rows("SELECT status, carrier, void_status FROM label ORDER BY id")
    assert [tuple(row) for row in rows] == [("voided", "easypost", "submitted"), ("bought", "prepaid", "")]


async def test_a_return_that_was_cancelled_meanwhile_buys_nothing(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    async with carried.portal.begin() as db:
        await cancel(db, SYSTEM, filed.rma)
    await carried.portal.work()
    label = await carried.label(filed)
    assert (label.status, label.void_status) == ("voided", "not_applicable")
    assert not carried.easypost.bought
    assert await carried.portal.mails() == ["return_filed", "return_cancelled"]


async def brought_by_nova_poshta(
    carried: Carried, *waybills: str, told_as: str = "nova_poshta"
) -> tuple[FiledReturn, list[Any]]:
    """A return of goods that went out with Nova Poshta, whose label is its, and the order's lines."""
    await carried.rule("nova_poshta", countries=["UA"])
    order, lines = await carried.portal.order(number="1001", lines=TWO)
    await carried.portal.rows("UPDATE orders SET address = jsonb_set(address, '{country}', '\"UA\"') RETURNING id")
    await carried.portal.rows(
        "INSERT INTO outbound_parcel SELECT gen_random_uuid(), o.id, :carrier, w.number, now()"
        " FROM orders o, unnest(CAST(:waybills AS text[])) AS w (number) RETURNING id",
        carrier=told_as,
        waybills=list(waybills),
    )
    carried.nova_poshta.server.waybills |= set(waybills)
    filed = await carried.portal.file(order.number, (lines[0], 1))
    await carried.portal.work()
    return filed, lines


@pytest.mark.parametrize("told_as", ["nova_poshta", "Nova Poshta"])
async def test_nova_poshta_takes_back_what_it_brought(carried: Carried, told_as: str) -> None:
    filed, _ = await brought_by_nova_poshta(carried, OUTBOUND, told_as=told_as)
    label = await carried.label(filed)
    assert (label.status, label.carrier, label.shipment_ref) == ("sent", "nova_poshta", OUTBOUND)
    assert (label.cost, label.cost_currency) == (7550, "UAH")
    # There is nothing to print: the customer names the number, and our own label goes on the parcel.
    assert label.qr.startswith("102-")
    assert (label.code, label.pdf) == (filed.rma, None)
    [mail] = await carried.portal.rows("SELECT values FROM email WHERE template = 'label_ready'")
    assert mail.values["drop_off"] == label.qr


async def test_a_second_parcel_does_not_share_the_return_order_of_the_first(carried: Carried) -> None:
    filed, _ = await brought_by_nova_poshta(carried, OUTBOUND)
    first = await carried.label(filed)
    async with carried.portal.begin() as db:
        await another(db, SYSTEM, filed.rma)
    await carried.portal.work()
    second = await carried.label(filed, number=2)
    assert (second.status, second.carrier, second.qr, second.cost) == ("bought", "prepaid", "", None)
    assert "waybill" in second.failure
    # Giving the second one back leaves the first one's order alone.
    async with carried.portal.begin() as db:
        await void(db, SYSTEM, second.id)
    await carried.portal.work()
    assert [order["OrderNumber"] for order in carried.nova_poshta.server.orders] == [first.qr]
    assert (await carried.label(filed)).status == "sent"


async def test_a_second_return_of_an_order_goes_back_on_the_waybill_that_is_left(carried: Carried) -> None:
    other = "20450000000002"
    filed, lines = await brought_by_nova_poshta(carried, OUTBOUND, other)
    second = await carried.portal.file("1001", (lines[1], 1))
    await carried.portal.work()
    labels = [await carried.label(filed), await carried.label(second)]
    assert [(label.status, label.shipment_ref) for label in labels] == [("sent", other), ("sent", OUTBOUND)]
    assert labels[0].qr != labels[1].qr


async def test_a_waybill_whose_order_was_given_back_can_be_used_again(carried: Carried) -> None:
    filed, _ = await brought_by_nova_poshta(carried, OUTBOUND)
    first = await carried.label(filed)
    async with carried.portal.begin() as db:
        await void(db, SYSTEM, first.id)
    await carried.portal.work()
    assert not carried.nova_poshta.server.orders
    async with carried.portal.begin() as db:
        assert await again(db, SYSTEM, filed.rma) == 1
    await carried.portal.work()
    label = await carried.label(filed)
    assert (label.status, label.shipment_ref) == ("sent", OUTBOUND)
    assert label.qr != first.qr


async def test_two_returns_at_once_get_two_labels_of_which_one_is_nova_poshtas(carried: Carried) -> None:
    filed, lines = await brought_by_nova_poshta(carried)
    second = await carried.portal.file("1001", (lines[1], 1))
    await carried.portal.rows("DELETE FROM label RETURNING id")
    await carried.portal.rows(
        "INSERT INTO outbound_parcel SELECT gen_random_uuid(), id, 'nova_poshta', :number, now() FROM orders"
        " RETURNING id",
        number=OUTBOUND,
    )
    async with carried.portal.begin() as db:
        for each in (filed, second):
            await issue(db, SYSTEM, each.id, each.rma)
    labels = [await carried.label(each) for each in (filed, second)]
    await at_once(*(buying.buy(carried.context, label.id) for label in labels))
    for each in (filed, second):
        await carried.buy(each)
    labels = [await carried.label(each) for each in (filed, second)]
    assert sorted(label.carrier for label in labels) == ["nova_poshta", "prepaid"]
    assert len(carried.nova_poshta.server.orders) == 1


async def test_another_parcel_has_a_label_of_its_own(carried: Carried) -> None:
    await carried.rule("easypost")
    filed, first = await carried.bought()
    async with carried.portal.begin() as db:
        assert await another(db, SYSTEM, filed.rma) == 2
    await carried.portal.work()
    second = await carried.label(filed, number=2)
    assert second.status == "sent"
    assert {first.shipment_ref, second.shipment_ref} == set(carried.easypost.bought)
    async with carried.portal.begin() as db:
        assert await carriers_pdf(db, SYSTEM, filed.rma, number=2) == PDF


async def test_two_who_want_one_more_at_once_get_labels_of_two_parcels_never_two_of_one(carried: Carried) -> None:
    filed = await carried.filed()

    async def one_more() -> int:
        async with carried.portal.begin() as db:
            return await another(db, SYSTEM, filed.rma)

    assert sorted(await at_once(one_more(), one_more())) == [2, 3]


async def test_a_return_of_somebody_else_gets_no_label(carried: Carried) -> None:
    filed = await carried.filed()
    stranger = Actor(kind="customer", order_id=filed.id)
    async with carried.portal.begin() as db:
        with pytest.raises(Exception, match="no such return"):
            await another(db, stranger, filed.rma)


async def test_what_was_sold_after_the_label_had_gone_on_is_given_back(carried: Carried) -> None:
    await carried.rule("easypost")
    filed = await carried.filed()
    carried.easypost.faults.set("buy", "lost before")
    with pytest.raises(CarrierUnknownError):
        await carried.buy(filed)
    label = await carried.label(filed)
    slow = carried.easypost.carrier.buy

    async def meanwhile(ref: str, service: str) -> Bought:
        # While the carrier sells it, the label goes on: as another run does that was told no.
        await carried.portal.rows(
            "UPDATE label SET shipment_ref = NULL, asked_at = NULL, carrier = '', tried = 9 RETURNING id"
        )
        return await slow(ref, service)

    carried.easypost.carrier.buy = meanwhile  # type: ignore[method-assign]  # of this test's own carrier
    await carried.buy(filed)
    await carried.portal.work()
    rows = await carried.portal.rows("SELECT id, status, carrier, void_status, cost FROM label ORDER BY id")
    assert [(row.status, row.carrier) for row in rows] == [("bought", "prepaid"), ("voided", "easypost")]
    assert (rows[0].id, rows[1].void_status, rows[1].cost) == (label.id, "submitted", 545)
