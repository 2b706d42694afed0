"""Shopify's export, as shops download it, against a reckoning of its own from the same file."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from returns_portal import csvfiles
from returns_portal.csvfiles import Group
from returns_portal.errors import InvalidError
from returns_portal.orders import shopify
from returns_portal.orders.checks import checked
from returns_portal.orders.intake import OrderInput
from returns_portal.orders.rules import freeze

FIXTURE = Path(__file__).parent.parent / "fixtures" / "shopify_orders_export.csv"

HEAD = {
    "Name": "#1", "Email": "a@example.com", "Financial Status": "paid", "Fulfillment Status": "fulfilled",
    "Fulfilled at": "2026-10-06 00:41:00 +0200", "Currency": "EUR", "Subtotal": "100.00", "Shipping": "10.00",
    "Taxes": "18.33", "Total": "110.00", "Discount Amount": "0.00", "Created at": "2026-10-05 00:41:00 +0200",
    "Lineitem quantity": "1", "Lineitem name": "Derby - 42 / Navy", "Lineitem price": "100.00", "Lineitem sku": "D",
    "Shipping Name": "Anna Weiß", "Shipping Address1": "Königsallee 12", "Shipping City": "Düsseldorf",
    "Shipping Zip": "'04229", "Shipping Country": "DE", "Shipping Phone": "'+49 30 1234567", "Tax 1 Name": "VAT 20%",
    "Payment Method": "Stripe", "Payment Reference": "pi_1", "Refunded Amount": "0.00", "Cancelled at": "",
}  # fmt: skip


def one(*rows: dict[str, str], **head: str) -> Group:
    columns = {name.replace("_", " "): value for name, value in head.items()}
    return Group(2, "#1", [HEAD | columns, *rows], 0)


def read(*rows: dict[str, str], **head: str) -> OrderInput:
    return shopify.read(one(*rows, **head), livemode=False)


@cache
def fixture() -> dict[str, list[dict[str, str]]]:
    """The file read without the portal: rows by order."""
    orders: dict[str, list[dict[str, str]]] = {}
    with FIXTURE.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            orders.setdefault(row["Name"].removeprefix("#"), []).append(row)
    return orders


def imported() -> Iterator[OrderInput]:
    for rows in csvfiles.read(FIXTURE, shopify.LAYOUT):
        yield checked(shopify.read(rows, livemode=False))


def minor(text: str, currency: str) -> int:
    return int(Decimal(text) * (1 if currency == "JPY" else 100))


def test_every_order_of_the_file_is_read_with_the_files_own_totals() -> None:
    orders = list(imported())
    assert [order.number for order in orders] == list(fixture())
    for order in orders:
        head = fixture()[order.number][0]
        frozen = freeze(order)
        assert frozen.total == minor(head["Total"], order.currency)
        assert sum(sum(line.unit_paid) for line in frozen.lines) + frozen.shipping_paid == frozen.total
        assert sum(line.tax for line in order.lines) + order.shipping.tax == minor(head["Taxes"], order.currency)
        assert sum(len(line.unit_paid) for line in frozen.lines) == sum(
            int(row["Lineitem quantity"]) for row in fixture()[order.number]
        )


def test_statuses_and_what_was_paid_and_refunded_are_stored_as_they_are() -> None:
    for order in imported():
        head = fixture()[order.number][0]
        assert order.financial_status == head["Financial Status"]
        assert order.fulfilled is (head["Fulfillment Status"] == "fulfilled")
        assert (order.cancelled_at is None) is (head["Cancelled at"] == "")
        paid = minor(head["Total"], order.currency) if head["Paid at"] else 0
        assert sum(payment.amount for payment in order.payments) == paid
        refunded = sum(payment.refunded_before for payment in order.payments)
        assert refunded == minor(head["Refunded Amount"], order.currency)
        for payment in order.payments:
            assert (payment.tender, payment.reference) == ("external", None)
            assert (payment.method, payment.imported_reference or "") == (
                head["Payment Method"],
                head["Payment Reference"],
            )


def test_only_american_orders_of_the_file_have_tax_on_top_and_none_on_shipping() -> None:
    for order in imported():
        assert order.tax_included is (order.currency != "USD")
        if order.currency == "USD":
            assert order.shipping.tax == 0
        elif order.shipping.price:
            assert order.shipping.tax > 0


def test_apostrophes_before_zip_codes_and_telephone_numbers_are_gone() -> None:
    order = read()
    assert (order.shipping_address.postal_code, order.phone) == ("04229", "+49 30 1234567")
    assert not any("'" in f"{order.phone}{order.shipping_address.postal_code}" for order in imported())


@pytest.mark.parametrize(
    ("name", "article"),
    [
        ('Derby "Oxford" Leather - 40 / Ecru', ('Derby "Oxford" Leather', "40", "Ecru")),
        ("Derby - 43 / Sand / Stone", ("Derby", "43", "Sand / Stone")),
        ("Wool Socks (3-pack) - 39-42 / Black", ("Wool Socks (3-pack)", "39-42", "Black")),
        ("Вишиванка «Полтава» - XS / Navy", ("Вишиванка «Полтава»", "XS", "Navy")),
        ("T-Shirt - Long - M / Black", ("T-Shirt - Long", "M", "Black")),
        ("Shirt - Navy / 42", ("Shirt", "42", "Navy")),
        ("Shirt - XXL", ("Shirt", "XXL", "")),
        ("Belt - One Size", ("Belt", "One Size", "")),
        ("Sneaker - 42.5", ("Sneaker", "42.5", "")),
        ("Jeans - Regular / Indigo", ("Jeans", "Regular", "Indigo")),
        ("Gift card", ("Gift card", "", "")),
        ("Shirt - Limited Edition", ("Shirt - Limited Edition", "", "")),
    ],
)
def test_names_are_taken_apart_into_title_size_and_colour(name: str, article: tuple[str, str, str]) -> None:
    assert shopify.article(name) == article


def test_a_discount_beyond_the_goods_is_taken_off_the_shipping_when_the_total_says_so() -> None:
    order = read(Discount_Amount="10.00", Total="100.00", Taxes="16.67")
    assert (order.order_discount, order.shipping.price, order.shipping.discount) == (0, 1000, 1000)
    order = read(Discount_Amount="25.00", Subtotal="85.00", Total="85.00", Taxes="14.17")
    assert (order.order_discount, order.shipping.discount) == (1500, 1000)
    # Where the file has the reduced price of shipping already, nothing is taken off twice.
    order = read(Discount_Amount="10.00", Shipping="0.00", Total="100.00", Taxes="16.67")
    assert (order.order_discount, order.shipping.discount) == (0, 0)


def test_tax_is_shared_by_cost_among_taxable_lines_and_shipping() -> None:
    second = {"Lineitem quantity": "1", "Lineitem name": "Book", "Lineitem price": "50.00", "Lineitem taxable": "false"}
    order = read(second, Subtotal="150.00", Total="160.00")
    assert [line.tax for line in order.lines] == [1666, 0]
    assert order.shipping.tax == 167


def test_tax_without_a_rate_is_that_of_everything() -> None:
    order = read(Tax_1_Name="")
    assert ([line.tax for line in order.lines], order.shipping.tax) == ([1666], 167)


def test_an_order_paid_in_part_and_one_that_lapsed() -> None:
    part = checked(read(Financial_Status="partially_paid", Outstanding_Balance="60.00"))
    assert part.payments[0].amount == 5000
    assert checked(read(Financial_Status="expired")).financial_status == "voided"


def test_with_a_live_key_a_payment_intent_becomes_a_stripe_payment_and_nothing_else_does() -> None:
    [ours] = shopify.read(one(), livemode=True).payments
    assert (ours.tender, ours.reference, ours.imported_reference) == ("stripe", "pi_1", "pi_1")
    for changes in ({"Payment_Reference": "c123"}, {"Payment_Method": "PayPal"}, {"Payment_Reference": ""}):
        [other] = shopify.read(one(**changes), livemode=True).payments
        assert (other.tender, other.reference) == ("external", None)


def test_the_address_of_the_bill_serves_where_nothing_was_shipped() -> None:
    order = read(
        Shipping_Country="",
        Shipping_Name="",
        Billing_Name="Jo",
        Billing_Company="Nord & Sund",
        Billing_Street="Elm St 1",
        Billing_City="Leeds",
        Billing_Zip="LS1",
        Billing_Country="GB",
    )
    address = order.shipping_address
    assert (order.name, address.line1, address.line2, address.country) == ("Jo", "Elm St 1", "Nord & Sund", "GB")


TIP = {
    "Lineitem quantity": "1", "Lineitem name": "Tip", "Lineitem price": "5.00", "Lineitem sku": "",
    "Lineitem requires shipping": "false", "Lineitem taxable": "false",
}  # fmt: skip


def test_a_tip_is_part_of_the_total_and_no_item() -> None:
    order = checked(read(TIP, Total="115.00"))
    assert [line.title for line in order.lines] == ["Derby"]
    assert (order.extras, order.total, order.payments[0].amount) == (500, 11500, 11500)
    assert sum(line.tax for line in order.lines) + order.shipping.tax == 1833
    assert sum(freeze(order).lines[0].unit_paid) + freeze(order).shipping_paid == 11000


def test_an_article_that_is_called_tip_is_an_article() -> None:
    for changes in ({"Lineitem sku": "TIP-1"}, {"Lineitem requires shipping": "true"}, {"Lineitem taxable": "true"}):
        order = checked(read(TIP | changes, Subtotal="105.00", Total="115.00"))
        assert ([line.title for line in order.lines], order.extras) == (["Derby", "Tip"], 0)


def test_duties_are_part_of_the_total_where_the_shop_collects_them() -> None:
    collected = checked(read(Duties="12.34", Total="122.34"))
    assert (collected.extras, collected.total, collected.tax_included) == (1234, 12234, True)
    on_top = checked(read(Duties="12.34", Taxes="20.00", Total="142.34"))
    assert (on_top.extras, on_top.total, on_top.tax_included) == (1234, 14234, False)
    by_the_carrier = checked(read(Duties="12.34"))
    assert (by_the_carrier.extras, by_the_carrier.total) == (0, 11000)


def test_duties_a_tip_and_a_discount_at_once() -> None:
    order = checked(read(TIP, Duties="12.34", Discount_Amount="25.00", Subtotal="85.00", Total="102.34", Taxes="14.17"))
    assert (order.order_discount, order.shipping.discount, order.extras, order.total) == (1500, 1000, 1734, 10234)


REFUSED: list[tuple[str, dict[str, str]]] = [
    ("first row of this order is missing", {"Total": ""}),
    ("do not come to the subtotal", {"Subtotal": "99.00"}),
    ("do not come to the total", {"Total": "110.01"}),
    ("do not come to the total", {"Total": "91.67"}),
    ("do not come to the total", {"Total": "115.00"}),
    ("do not come to the total", {"Total": "120.00", "Duties": "9.99"}),
    ("not an amount", {"Duties": "some"}),
    ("three letters", {"Currency": "euro"}),
    ("not an amount", {"Shipping": "1,00"}),
    ("more decimal places", {"Shipping": "10.001"}),
    ("not a number of things", {"Lineitem_quantity": "one"}),
    ("not a payment status", {"Financial_Status": "maybe"}),
    ("needed", {"Created_at": ""}),
    ("not a time", {"Created_at": "soon"}),
]


@pytest.mark.parametrize(("reason", "head"), REFUSED)
def test_what_does_not_add_up_is_refused_with_a_reason(reason: str, head: dict[str, str]) -> None:
    with pytest.raises(InvalidError, match=reason):
        read(**head)
