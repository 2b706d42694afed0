"""The goods of the demo shop."""

import csv

import pytest

from returns_portal.catalog.rules import article_number
from returns_portal.db import Begin
from returns_portal.demo import ORDERS, goods
from returns_portal.demo.pictures import COLOURS, drawn
from returns_portal.photos import rebuilt
from tests.catalog.test_actions import rows

pytestmark = pytest.mark.anyio


async def test_the_goods_are_stocked_once_with_a_picture_in_each_colour(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Drawing all of them takes a while.
    monkeypatch.setattr(goods, "_SHAPES", {"chelsea-boot": "boot"})
    for _twice in range(2):
        await goods.stock(begin)
    pictures = await rows(begin, "SELECT color, alt, width, height FROM product_picture ORDER BY position")
    assert [(row.color, row.width, row.height) for row in pictures] == [(name, 720, 900) for name in COLOURS]
    assert pictures[0].alt == "Chelsea Boot, Black"
    [variants] = await rows(begin, "SELECT count(*) AS all, count(*) FILTER (WHERE stock = 0) AS out FROM variant")
    assert variants.all > variants.out > 0


def test_the_goods_are_those_of_the_orders() -> None:
    with goods.PRODUCTS.open(encoding="utf-8", newline="") as file:
        offered = list(csv.DictReader(file))
    with ORDERS.open(encoding="utf-8-sig", newline="") as file:
        ordered = {row["Lineitem sku"] for row in csv.DictReader(file)}
    assert ordered <= {row["sku"] for row in offered}
    assert len({article_number(row["ean"]) for row in offered}) == len(offered)
    assert {row["handle"] for row in offered} == set(goods._SHAPES)


@pytest.mark.parametrize("shape", sorted(set(goods._SHAPES.values())))
def test_every_shape_is_drawn(shape: str) -> None:
    photo = rebuilt(drawn(shape, "Navy"))
    assert (photo.width, photo.height) == (720, 900)
    assert len(photo.jpeg) > 5_000
