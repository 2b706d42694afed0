"""Weak points: goods with a supplier, bought, sent back with words, claimed about, and one that runs small."""

from returns_portal import clock
from returns_portal.catalog.actions import put_product
from returns_portal.catalog.intake import ProductInput, VariantInput
from returns_portal.catalog.models import ProductKind
from returns_portal.db import run
from returns_portal.insights.fitting import measure_all
from returns_portal.labels.outbound import sent_out
from returns_portal.refunds.actions import receive
from returns_portal.refunds.filing import file
from returns_portal.returns.actions import Wanted
from returns_portal.returns.models import RefundTo
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.counting import Circumstances
from returns_portal.warehouse.models import Condition
from returns_portal.warehouse.rules import Counted
from tests.orders.samples import PLACED, a_line
from tests.portal import API, Portal

HANDLE = "weak-boot"
WAREHOUSES = ("Lviv", "Außenlager Donaudampfschifffahrtsgesellschaft")
_TITLE = "Donaudampfschifffahrtsstiefel mit Lammfell"
_REASONS = ("too small", "zu klein", "Твърде малки са ми, особено в пръстите", "damaged")


async def weak(portal: Portal) -> None:
    """A few orders are enough for every page; a verdict needs many, so that it is written as the night would."""
    variants = [
        VariantInput(sku=f"WEAK-{size}", size=str(size), color="Cognac", price=15900, currency="EUR", stock=5)
        for size in (41, 42, 43)
    ]
    boot = ProductInput(
        handle=HANDLE, title=_TITLE, kind=ProductKind.SHOE, supplier="Lviv Tannery & Söhne", variants=variants
    )
    async with portal.begin() as db:
        await put_product(db, API, boot)
    for place, reason in enumerate(_REASONS):
        number = str(3921 + place)
        line = a_line(sku="WEAK-42", title=_TITLE, color="Cognac", quantity=1, tax=2650)
        _order, [line_id] = await portal.order(
            number=number, lines=[line], placed_at=clock.now().replace(microsecond=0), shipped_at=PLACED
        )
        async with portal.begin() as db:
            wanted = [Wanted(line_id, 1, reason)]
            filed = await file(db, API, portal.settings, DEFAULT, number, wanted, RefundTo.ORIGINAL)
            await sent_out(db, API, number, "easypost", f"94{number}", WAREHOUSES[place % 2])
            if place:
                counts, here = [Counted(line_id, 1, Condition.DAMAGED)], Circumstances(warehouse=WAREHOUSES[1])
                await receive(db, API, portal.settings, filed.rma, counts, around=here)
    await measure_all(portal.begin)
    async with portal.begin() as db:
        await run(db, _VERDICT, handle=HANDLE)


_VERDICT = """
    UPDATE product_fit SET verdict = 'small', chance = 0.001, buyers = 60, small = 14, large = 1
    WHERE product_id = (SELECT id FROM product WHERE handle = :handle)
"""
