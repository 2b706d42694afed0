"""What happens to an order outside the portal: in the gateway's dashboard, at the bank, on the way of its events."""

from typing import Any

from returns_portal import clock
from returns_portal.db import run
from returns_portal.ids import new_id
from returns_portal.payments.gateway import GatewayNews
from returns_portal.payments.inbox import store
from returns_portal.payments.models import FoundBy
from tests.faults.place import Place


class Elsewhere(Place):
    """The side of the gateway."""

    async def find_reference(self) -> str:
        """The gateway's id of the order's payment, once it is known."""
        if not self.reference:
            async with self.begin() as db:
                rows = await run(
                    db, "SELECT reference FROM payment WHERE order_id = :id AND tender = 'stripe'", id=self.order_id
                )
            self.reference = rows[0].reference or ""
        return self.reference

    async def in_the_dashboard(self) -> None:
        payment = await self.find_reference()
        if payment:
            form = f"payment_intent={payment}&amount={self.random.randint(1, 12_000)}"
            status, refund, _ = self.ground.sandbox.send("POST", "/v1/refunds", form)
            if status == 200:
                self.dashboard.append(refund["id"])

    async def dispute(self) -> None:
        payment = await self.find_reference()
        if payment:
            made = self.tell_sandbox("disputes", payment_intent=payment, amount=None, inquiry=self.chance(0.2))
            if made:
                self.disputes.append(made["id"])
            if made and self.chance(0.6):
                await self.scheduler.step("what the bank decides")
                self.tell_sandbox(f"disputes/{made['id']}/settle", status=self.pick("won", "lost", "under_review"))

    async def comes_back(self) -> None:
        """The bank sends a refund back, or finishes one that it had not."""
        payment = await self.find_reference()
        for refund in self.ground.refunds_at_gateway(payment)[:2] if payment else []:
            self.tell_sandbox(f"refunds/{refund['id']}/settle", status=self.pick("failed", "succeeded"))

    async def bad_day(self) -> None:
        """The gateway fails, in one of its ways, or decides otherwise for the next refund."""
        kind = self.pick("error", "error", "drop", "rate_limit", "conflict", "pending", "failed")
        if kind in {"pending", "failed"}:
            self.tell_sandbox("refund-outcomes", status=kind)
        else:
            # The portal's own requests alone.
            ours = {"method": "POST", "path": "/v1/refunds", "contains": "refund_id"}
            self.tell_sandbox("faults", kind=kind, times=self.random.randint(1, 8), acts=self.chance(0.5), **ours)

    def tell_sandbox(self, path: str, /, **body: object) -> dict[str, Any] | None:
        """Have something happen, if it can."""
        answer = self.ground.sandbox.http.post(f"/_sandbox/{path}", json=body)
        return dict(answer.json()) if answer.status_code == 200 else None

    async def events(self) -> None:
        """The gateway tells of things: late, twice, in any order, in whatever state they are by now."""
        payment = await self.find_reference()
        if not payment:
            return
        objects = [
            ("payment_intent", payment),
            *(("refund", each["id"]) for each in self.ground.refunds_at_gateway(payment)),
            *(("dispute", id_) for id_ in self.disputes),
        ]
        for kind, id_ in self.random.sample(objects, min(len(objects), 3)):
            news = news_of(kind, id_)
            for _ in range(self.random.randint(1, 2)):
                await self.allowed(lambda db, news=news: store(db, news, FoundBy.WEBHOOK))  # type: ignore[misc]  # a default binds it


def news_of(kind: str, object_id: str) -> GatewayNews:
    """An event about an object of the gateway's, which says no more than that."""
    return GatewayNews(
        id=f"evt_{new_id().hex}",
        type=f"{kind}.updated",
        object_kind=kind,
        object_id=object_id,
        created=clock.now(),
        body=b"{}",
    )
