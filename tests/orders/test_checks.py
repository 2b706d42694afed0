"""What cannot be is refused, by the field at fault; what is the same has one form."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from returns_portal.errors import InvalidError
from returns_portal.orders.checks import MAX_AMOUNT, checked
from returns_portal.orders.intake import AddressInput, OrderInput, PaymentInput, ShippingInput, fingerprint
from returns_portal.orders.models import FinancialStatus
from returns_portal.payments.models import Tender
from tests.orders.samples import ADDRESS, PLACED, a_line, an_order, body


def external(amount: int, **more: Any) -> PaymentInput:  # noqa: ANN401 - the fields of a payment
    return PaymentInput(tender=Tender.EXTERNAL, amount=amount, **more)


IMPOSSIBLE: list[tuple[str, dict[str, Any]]] = [
    ("number", {"number": ""}),
    ("number", {"number": "#"}),
    ("number", {"number": "1\x0001"}),
    ("number", {"number": "x" * 65}),
    ("number", {"number": "A\u202e1"}),
    ("number", {"number": "A/"}),
    ("number", {"number": "A//1"}),
    ("number", {"number": "A/../1"}),
    ("number", {"number": "."}),
    ("email", {"email": "nobody"}),
    ("email", {"email": "a@b, c@d.example"}),
    ("email", {"email": "a b@example.com"}),
    ("email", {"email": "two,three@example.com"}),
    ("email", {"email": f"{'x' * 250}@example.com"}),
    ("name", {"name": " "}),
    ("name", {"name": "x" * 201}),
    ("name", {"name": "Nul\x00l"}),
    ("name", {"name": "half \ud800"}),
    ("phone", {"phone": "1\n2"}),
    ("locale", {"locale": "Klingon"}),
    ("currency", {"currency": "EURO"}),
    ("currency", {"currency": "ZZZ"}),
    ("placed_at", {"placed_at": datetime(2026, 1, 1)}),  # noqa: DTZ001 - a time without zone is what is refused
    ("placed_at", {"placed_at": datetime(9999, 12, 31, tzinfo=UTC)}),
    ("cancelled_at", {"cancelled_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))}),
    ("shipping_address.country", {"shipping_address": replace(ADDRESS, country="ZZ")}),
    ("shipping_address.country", {"shipping_address": replace(ADDRESS, country="Bulgaria")}),
    ("shipping_address.city", {"shipping_address": replace(ADDRESS, city="")}),
    ("shipping_address.line1", {"shipping_address": replace(ADDRESS, line1="x" * 201)}),
    ("lines", {"lines": []}),
    ("lines", {"lines": [a_line()] * 501}),
    ("lines[1].quantity", {"lines": [a_line(), a_line(quantity=0)]}),
    ("lines[0].quantity", {"lines": [a_line(quantity=1000)]}),
    ("lines[0].unit_price", {"lines": [a_line(unit_price=-1)]}),
    ("lines[0].unit_price", {"lines": [a_line(unit_price=MAX_AMOUNT)]}),
    ("lines", {"lines": [a_line(quantity=1, unit_price=MAX_AMOUNT)] * 2, "payments": []}),
    ("lines[0].discount", {"lines": [a_line(discount=31801)]}),
    ("lines[0].tax", {"lines": [a_line(tax=31801)]}),
    ("lines[0].tax", {"lines": [a_line(tax=-1)]}),
    ("lines[0].title", {"lines": [a_line(title="")]}),
    ("lines[0].shipped", {"lines": [a_line(shipped=3)]}),
    ("order_discount", {"order_discount": 31801}),
    ("order_discount", {"order_discount": -1}),
    ("extras", {"extras": -1}),
    ("payments", {"extras": 100, "payments": [external(32290)]}),
    ("shipping.discount", {"shipping": ShippingInput(price=490, discount=491)}),
    ("shipping.tax", {"shipping": ShippingInput(price=490, tax=491)}),
    ("shipping.standard_price", {"shipping": ShippingInput(price=490, standard_price=-1)}),
    ("payments", {"payments": []}),
    ("payments", {"payments": [external(32289)]}),
    ("payments", {"payments": [external(32291)]}),
    ("payments[0].amount", {"payments": [external(-1)]}),
    ("payments[0].refunded_before", {"payments": [external(32290, refunded_before=32291)]}),
    ("payments", {"payments": [external(1)] * 21}),
    ("payments", {"financial_status": FinancialStatus.PENDING}),
    ("payments", {"financial_status": FinancialStatus.PARTIALLY_PAID}),
    ("payments", {"payments": [external(16145, reference="pi_1"), external(16145, reference="pi_1")]}),
    ("fulfilled", {"fulfilled": False}),
]


@pytest.mark.parametrize(("field", "changes"), IMPOSSIBLE)
def test_refuses_what_cannot_be_and_names_the_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        checked(an_order(**changes))
    assert caught.value.field == field


def test_takes_every_script_and_forgives_spaces_case_and_the_sign_before_the_number() -> None:
    order = checked(
        an_order(
            number=" #1001 ",
            name="  山田 太郎 ",
            currency="eur",
            shipping_address=AddressInput(name="José Núñez", line1="神南1-19-11", city="渋谷区", country="jp"),
        )
    )
    assert (order.number, order.name, order.currency) == ("1001", "山田 太郎", "EUR")
    assert order.shipping_address == AddressInput(
        name="José Núñez", line1="神南1-19-11", line2="", city="渋谷区", region="", postal_code="", country="JP"
    )


@pytest.mark.parametrize(
    ("country", "locale"), [("UA", "uk"), ("BG", "bg"), ("RU", "ru"), ("AT", "de"), ("GB", "en"), ("JP", "en")]
)
def test_the_language_follows_from_the_country_unless_it_is_told(country: str, locale: str) -> None:
    address = replace(ADDRESS, country=country)
    assert checked(an_order(shipping_address=address)).locale == locale
    assert checked(an_order(shipping_address=address, locale="pt_BR")).locale == "pt-BR"


def test_an_order_that_costs_nothing_has_no_payments() -> None:
    free = an_order(order_discount=31800, shipping=ShippingInput())
    assert [payment.amount for payment in free.payments] == [0]
    assert checked(free).payments == []


def test_what_is_unpaid_is_taken_as_such() -> None:
    pending = checked(an_order(payments=[], financial_status=FinancialStatus.PENDING))
    assert (pending.financial_status, pending.payments) == (FinancialStatus.PENDING, [])
    part = checked(an_order(payments=[external(100)], financial_status=FinancialStatus.PARTIALLY_PAID))
    assert part.payments[0].amount == 100


@pytest.mark.parametrize(
    ("changes", "shipped"),
    [
        ({}, 2),
        ({"delivered_at": None}, 0),
        ({"delivered_at": None, "shipped_at": PLACED}, 2),
        ({"delivered_at": None, "fulfilled": True}, 2),
        ({"delivered_at": None, "lines": [a_line(shipped=1)]}, 1),
    ],
)
def test_what_has_left_the_shop_follows_from_what_is_told(changes: dict[str, Any], shipped: int) -> None:
    order = checked(an_order(**changes))
    assert order.lines[0].shipped == shipped
    assert order.fulfilled is (shipped == 2)


def test_the_same_order_has_the_same_fingerprint_however_it_is_written() -> None:
    order = an_order()
    moved = an_order(number="#1001", placed_at=PLACED.astimezone(timezone(timedelta(hours=2))), locale="bg")
    again = msgspec.json.decode(msgspec.json.encode(body(order)), type=OrderInput)
    assert fingerprint(checked(order)) == fingerprint(checked(moved)) == fingerprint(checked(again))
    # What passed once passes again, and is the same.
    assert checked(checked(order)) == checked(order)
    assert fingerprint(checked(order)) != fingerprint(checked(an_order(phone="1")))
