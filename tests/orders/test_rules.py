"""Units, shipping and extras sum to what was paid, whatever the order; each is what an independent reckoning says."""

from fractions import Fraction
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from returns_portal.orders.checks import checked
from returns_portal.orders.intake import LineInput, OrderInput, ShippingInput
from returns_portal.orders.rules import FrozenLine, freeze, slices
from tests.orders import samples


def steps(order: OrderInput) -> int:
    by_card = any(payment.tender == "stripe" for payment in order.payments)
    return 10 if by_card and order.currency == "BHD" and order.tax_included else 1


@given(st.integers(1, 9), st.integers(1, 9_999), st.integers(0, 999), st.sampled_from(["BHD", "KWD", "OMR", "TND"]))
def test_each_unit_can_be_paid_back_to_a_card_by_itself(units: int, price: int, off: int, currency: str) -> None:
    discount = min(off, units * price) * 10
    lines = [
        LineInput(sku="A", title="A", quantity=units, unit_price=price * 10, discount=discount),
        LineInput(sku="B", title="B", quantity=units, unit_price=3_330),
    ]
    order = samples.an_order(
        currency=currency, lines=lines, order_discount=min(50, units) * 10, shipping=ShippingInput(price=490)
    )
    frozen = freeze(order)
    paid = [unit for line in frozen.lines for unit in line.unit_paid]
    assert all(unit % 10 == 0 for unit in paid)
    assert sum(paid) + 490 == order.total


@given(samples.orders())
def test_units_shipping_and_extras_sum_to_the_total_exactly(order: OrderInput) -> None:
    frozen = freeze(checked(order))
    units = sum(sum(line.unit_paid) for line in frozen.lines)
    assert frozen.extras_paid == order.extras
    assert units + frozen.shipping_paid + frozen.extras_paid == frozen.total
    assert frozen.total == sum(payment.amount for payment in order.payments)


@given(samples.orders())
def test_the_total_is_what_the_contract_says(order: OrderInput) -> None:
    goods = sum(line.unit_price * line.quantity - line.discount for line in order.lines)
    total = goods - order.order_discount + order.shipping.price - order.shipping.discount + order.extras
    if not order.tax_included:
        total += sum(line.tax for line in order.lines) + order.shipping.tax
    assert freeze(order).total == total


@given(samples.orders())
def test_no_unit_has_a_negative_part_or_more_tax_than_was_paid(order: OrderInput) -> None:
    for line, given_line in zip(freeze(order).lines, order.lines, strict=True):
        assert len(line.unit_paid) == len(line.unit_tax) == len(line.unit_discount) == given_line.quantity
        for paid, tax, discount in zip(line.unit_paid, line.unit_tax, line.unit_discount, strict=True):
            assert 0 <= tax <= paid
            assert 0 <= discount <= given_line.unit_price
            assert paid == given_line.unit_price - discount + (0 if order.tax_included else tax)


@given(samples.orders())
def test_every_line_bears_its_share_of_the_order_discount_to_less_than_one_minor_unit(order: OrderInput) -> None:
    for line, given_line in zip(freeze(order).lines, order.lines, strict=True):
        share = sum(line.unit_discount) - given_line.discount
        exact = Fraction(order.order_discount * given_line.net, order.goods) if order.goods else Fraction()
        assert abs(share - exact) < steps(order)


@given(samples.orders())
def test_the_tax_is_the_lines_own_as_far_as_it_was_paid(order: OrderInput) -> None:
    for line, given_line in zip(freeze(order).lines, order.lines, strict=True):
        paid = sum(line.unit_paid)
        assert sum(line.unit_tax) == (min(given_line.tax, paid) if order.tax_included else given_line.tax)


@given(samples.orders())
def test_the_first_units_cost_the_floor_of_their_share(order: OrderInput) -> None:
    for line in freeze(order).lines:
        whole, units = sum(line.unit_paid), len(line.unit_paid)
        step = 1 if whole % steps(order) else steps(order)
        upto = [int(Fraction(whole * k, units * step)) * step for k in range(1, units + 1)]
        finer = [int(Fraction(whole * k, units)) for k in range(1, units + 1)]
        assert list(accumulate(line.unit_paid)) in (upto, finer)


@given(samples.orders())
def test_refundable_shipping_is_what_was_paid_up_to_standard_delivery(order: OrderInput) -> None:
    frozen, shipping = freeze(order), order.shipping
    assert 0 <= frozen.shipping_refundable <= frozen.shipping_paid
    if shipping.standard_price is None or shipping.standard_price >= shipping.net:
        assert frozen.shipping_refundable == frozen.shipping_paid
    elif order.tax_included:
        assert frozen.shipping_refundable == shipping.standard_price
    else:
        tax = Fraction(shipping.tax * shipping.standard_price, shipping.net)
        assert 0 <= shipping.standard_price + tax - frozen.shipping_refundable < 1


@given(st.integers(0, 10**12), st.integers(1, 999))
def test_slices_differ_by_at_most_one(total: int, units: int) -> None:
    parts = slices(total, units)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1


def test_a_discount_and_the_tax_of_three_pairs_by_hand() -> None:
    # 3 x 100 less 1 of discount, 50 of tax in it: 299 for three.
    line = LineInput(sku="S", title="T", quantity=3, unit_price=100, discount=1, tax=50)
    assert freeze(samples.an_order(lines=[line])).lines == [FrozenLine([1, 0, 0], [16, 17, 17], [99, 100, 100])]


def test_added_tax_is_paid_on_top() -> None:
    line = LineInput(sku="S", title="T", quantity=2, unit_price=12852, tax=2281)
    order = samples.an_order(lines=[line], tax_included=False, shipping=ShippingInput(price=990, tax=88))
    frozen = freeze(order)
    assert frozen.lines == [FrozenLine([0, 0], [1140, 1141], [13992, 13993])]
    assert (frozen.shipping_paid, frozen.total) == (1078, 29063)


def test_express_delivery_is_refundable_up_to_standard_delivery() -> None:
    order = samples.an_order(
        tax_included=False, shipping=ShippingInput(price=2000, discount=500, tax=301, standard_price=499)
    )
    # 301 x 499 / 1500 = 100.1
    assert freeze(order).shipping_refundable == 499 + 100


def test_a_discount_of_everything_leaves_nothing_to_refund() -> None:
    order = samples.an_order(order_discount=31800, shipping=ShippingInput(price=490, discount=490))
    frozen = freeze(order)
    assert frozen.lines == [FrozenLine([15900, 15900], [0, 0], [0, 0])]
    assert frozen.total == frozen.shipping_refundable == 0


def test_tiny_amounts_with_added_tax_never_make_a_unit_dearer_than_its_price() -> None:
    line = LineInput(sku="S", title="T", quantity=5, unit_price=2, discount=1, tax=3)
    frozen = freeze(samples.an_order(lines=[line], tax_included=False)).lines[0]
    assert frozen == FrozenLine([0, 1, 0, 0, 0], [0, 1, 1, 0, 1], [2, 2, 3, 2, 3])
