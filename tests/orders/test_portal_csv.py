"""The portal's own CSV says all that the JSON API takes."""

import csv
import io
from pathlib import Path

import pytest

from returns_portal import csvfiles
from returns_portal.errors import InvalidError
from returns_portal.orders import portal_csv
from returns_portal.orders.checks import checked
from returns_portal.orders.intake import OrderInput, PaymentInput, ShippingInput
from returns_portal.payments.models import Tender
from tests.orders.samples import a_line, an_order

HEAD = {
    "number": "1001", "email": "Kunde@Example.com", "name": "Мария Георгиева", "phone": "+359 2 000 000",
    "currency": "EUR", "placed_at": "2026-10-05T00:41:00Z", "delivered_at": "2026-10-08T02:00:00+02:00",
    "tax_included": "yes", "order_discount": "1.00", "shipping_price": "4.90", "shipping_tax": "0.82",
    "shipping_standard_price": "3", "extras": "5.50", "address_line1": "бул. Витоша 89", "address_city": "София",
    "address_postal_code": "1463", "address_country": "BG", "line_sku": "KE-42", "line_title": "Derby",
    "line_size": "42", "line_color": "Navy", "line_quantity": "2", "line_unit_price": "159", "line_tax": "53.00",
    "payment_tender": "stripe", "payment_amount": "400", "payment_reference": "pi_1",
}  # fmt: skip
SECOND = {
    "number": "1001", "line_sku": "B", "line_title": "Boot", "line_quantity": "1", "line_unit_price": "189.00",
    "line_discount": "9.00", "line_shipped": "0", "payment_tender": "points", "payment_amount": "100",
}  # fmt: skip
THIRD = {"number": "1001", "payment_tender": "external", "payment_amount": "7.40", "payment_method": "Cash"}


def read(folder: Path, *rows: dict[str, str]) -> list[OrderInput]:
    text = io.StringIO()
    columns = {name: None for row in (HEAD, SECOND, THIRD, *rows) for name in row}
    writer = csv.DictWriter(text, list(columns))
    writer.writeheader()
    writer.writerows(rows)
    path = folder / "orders.csv"
    path.write_text(text.getvalue())
    return [portal_csv.read(order) for order in csvfiles.read(path, portal_csv.LAYOUT)]


def test_lines_and_payments_stand_on_the_rows_of_their_order(tmp_path: Path) -> None:
    [order] = read(tmp_path, HEAD, SECOND, THIRD)
    wanted = an_order(
        order_discount=100,
        extras=550,
        shipping=ShippingInput(price=490, tax=82, standard_price=300),
        lines=[
            a_line(),
            a_line(
                sku="B", title="Boot", size="", color="", quantity=1, unit_price=18900, discount=900, tax=0, shipped=0
            ),
        ],
        payments=[
            PaymentInput(tender=Tender.STRIPE, amount=40000, reference="pi_1"),
            PaymentInput(tender=Tender.POINTS, amount=10000),
            PaymentInput(tender=Tender.EXTERNAL, amount=740, method="Cash"),
        ],
    )
    assert checked(order) == checked(wanted)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("currency", "EURO"),
        ("placed_at", ""),
        ("tax_included", ""),
        ("tax_included", "perhaps"),
        ("financial_status", "rich"),
        ("payment_tender", "gold"),
        ("line_quantity", "x"),
        ("line_unit_price", "1,5"),
        ("fulfilled", "half"),
    ],
)
def test_a_cell_that_cannot_be_is_named_by_its_column(tmp_path: Path, column: str, cell: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read(tmp_path, HEAD | {column: cell})
    assert caught.value.field == column


def test_rows_apart_from_their_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="first row"):
        read(tmp_path, HEAD, HEAD | {"number": "2"}, SECOND)


def test_every_column_that_is_read_is_documented() -> None:
    documented = portal_csv.__doc__ or ""
    assert all(f"{column}" in documented for column in {*HEAD, *SECOND, *THIRD, *portal_csv.LAYOUT.required})
