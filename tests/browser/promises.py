"""Orders of today by a policy with rules, for the stage: each is named after what the policy says of it."""

from typing import Final

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.policies.actions import publish
from returns_portal.policies.content import Conditions, Content, Effects, Postage, Rule
from tests.orders.samples import a_line
from tests.portal import Portal

_RULES: Final = (
    Rule("Sale shoes", Conditions(skus=("FE-*",)), Effects(postage=Postage.CUSTOMER, fees={"EUR": 490})),
    Rule("Furniture", Conditions(skus=("OW-*",)), Effects(postage=Postage.OWN_LABEL)),
    Rule("Not worth the trip", Conditions(currency="EUR", price_to=1000), Effects(keep_it=True)),
    Rule("Underwear", Conditions(skus=("FI-*",)), Effects(final_sale=True, exception="hygiene")),
)
_GOODS: Final = {
    "fee": ("FE-42", 15900),
    "fee, filed": ("FE-42", 15900),
    "own label": ("OW-1", 15900),
    "to keep": ("SO-1", 900),
    "kept": ("SO-1", 900),
    "final sale": ("FI-1", 2900),
}
FILED: Final = ("fee, filed", "own label", "kept")
NAMES: Final = tuple(_GOODS)


async def promise(portal: Portal) -> dict[str, str]:
    """Let the policy hold from now on, and place an order for each of its rules; their numbers by name."""
    async with portal.begin() as db:
        await publish(db, SYSTEM, Content(rules=_RULES), note="Rules for what is seldom resold")
    numbers = {}
    for place, (name, (sku, price)) in enumerate(_GOODS.items()):
        now = clock.now()
        lines = [a_line(sku=sku, unit_price=price, tax=0, quantity=1)]
        order, _lines = await portal.order(number=str(3201 + place), placed_at=now, delivered_at=now, lines=lines)
        numbers[name] = order.number
    return numbers
