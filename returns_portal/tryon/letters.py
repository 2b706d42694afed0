"""The e-mails of a trial: what they all tell, and what each tells besides."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal.notifications.actions import Template, enqueue
from returns_portal.tryon.queries import Item, TrialView


def described(item: Item) -> dict[str, object]:
    """An item, as e-mails name it."""
    return {
        "title": item.title,
        "size": item.size,
        "color": item.color,
        "price": item.price,
        "decision": item.decision.value,
        "outcome": item.outcome.value,
    }


async def tell(db: AsyncConnection, trial: TrialView, template: Template, **more: Any) -> None:  # noqa: ANN401 - JSON
    """Write an e-mail to the customer of a trial: what is known of it, and `more`."""
    values: dict[str, object] = {
        "number": trial.number,
        "name": trial.name,
        "mode": trial.mode.value,
        "url": f"/trials/{trial.number}",
        "currency": trial.currency,
        "max_charge": trial.max_charge,
        "deposit": trial.deposit,
        "points": trial.points,
        "charged": trial.charged,
        "items": [described(item) for item in trial.items],
        "ends_at": trial.ends_at,
        "trial_days": trial.trial_days,
        "silence_keeps": trial.silence_keeps,
        "card_last4": trial.card_last4,
        "rma": trial.rma or "",
    }
    await enqueue(
        db,
        template=template,
        recipient=trial.email,
        locale=trial.locale,
        subject_id=trial.id,
        values=values | more,
    )
