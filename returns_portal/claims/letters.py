"""What customers are written about their claims: that one came, what was decided, and what became of a new one."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.claims.queries import ClaimView
from returns_portal.notifications.actions import enqueue


async def tell(
    db: AsyncConnection,
    claim: ClaimView,
    template: Literal["claim_received", "claim_decided", "replacement_sent", "replacement_ended"],
    *,
    decision: str = "",
    answer: str = "",
) -> None:
    """Write the e-mail; where money goes back, the gesture writes its own, with the reason in it."""
    values: dict[str, object] = {
        "order_number": claim.order_number,
        "kind": claim.kind.value,
        "lines": [
            {"title": item.title, "size": item.size, "color": item.color, "quantity": item.quantity}
            for item in claim.items
        ],
        "url": f"/claims/{claim.id}",
    }
    if template == "claim_decided":
        values |= {"decision": decision, "answer": answer}
    if claim.replacement is not None and template != "claim_decided":
        anew = claim.replacement
        values |= {"carrier": anew.carrier, "tracking": anew.tracking, "why": anew.end_reason or ""}
    await enqueue(db, template=template, recipient=claim.email, locale=claim.locale, subject_id=claim.id, values=values)
