"""Setting aside what is sent anew: taken from the stock in the transaction of the decision, or nothing happens."""

from collections import Counter
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import clock, history
from returns_portal.actor import Actor
from returns_portal.catalog.actions import take_stock
from returns_portal.claims.queries import ClaimView
from returns_portal.claims.replacements.models import Replacement, ReplacementLine, ReplacementStatus
from returns_portal.db import insert_rows, run
from returns_portal.errors import ConflictError, DomainError
from returns_portal.i18n import mark
from returns_portal.ids import new_id, new_replacement_number

# An article that was made from orders is not listed, and nobody has counted it: its stock of nothing tells nothing.
_COUNTED: Final = """
    SELECT v.sku FROM variant v JOIN product p ON p.id = v.product_id
    WHERE v.sku = ANY(:skus) AND (p.listed OR v.stock > 0)
"""


async def reserve(db: AsyncConnection, actor: Actor, claim: ClaimView) -> None:
    """Set aside anew what a claim is about. Under its order's lock, with the claim as it was read under it.

    Of what the catalogue does not count, nothing is taken from any stock: the warehouse looks for it by SKU and title.

    Raises:
        ConflictError: too little of something is left, or it is no longer offered (`sold_out`).
    """
    taken = await _taken(db, claim)
    now, replacement_id, number = clock.now(), new_id(), new_replacement_number()
    head = {
        "id": replacement_id,
        "number": number,
        "claim_id": claim.id,
        "order_id": claim.order_id,
        "status": ReplacementStatus.TO_SEND,
        "carrier": "",
        "tracking": "",
        "created_at": now,
        "created_by": actor.label,
        "changed_at": now,
    }
    lines = [
        {
            "id": new_id(),
            "replacement_id": replacement_id,
            "order_line_id": item.line_id,
            "variant_id": taken.get(item.sku),
            "quantity": item.quantity,
        }
        for item in claim.items
    ]
    told = {"number": number, "claim": str(claim.id), "skus": [item.sku for item in claim.items]}
    event = history.rows(actor, ("replacement", replacement_id, "reserved", told))
    await insert_rows(db, (Replacement, [head]), (ReplacementLine, lines), event)


async def _taken(db: AsyncConnection, claim: ClaimView) -> dict[str, UUID]:
    """Take what is counted from the stock: the variant of each SKU."""
    counted = {row.sku for row in await run(db, _COUNTED, skus=[item.sku for item in claim.items])}
    wanted = Counter[str]()
    for item in claim.items:
        if item.sku in counted:
            wanted[item.sku] += item.quantity
    if not wanted:
        return {}
    try:
        return {each.sku: each.variant_id for each in await take_stock(db, wanted)}
    except DomainError as error:
        raise ConflictError(
            mark(
                "Of {title} in size {size} there is too little to send it anew. Nothing was decided. Decide something"
                " else, the money for instance: another size or article can then be ordered, or had in exchange."
            ),
            code="sold_out",
            field="decision",
            title=error.values["title"],
            size=error.values["size"],
        ) from error
