"""Who acts: a customer, a member of staff, a program with a key, or the portal itself."""

from typing import Literal
from uuid import UUID

import msgspec

from returns_portal.errors import ForbiddenError


class Actor(msgspec.Struct, frozen=True):
    """Whoever asks for something. Every action takes one, every loader asks it.

    Attributes:
        kind: What kind of actor this is.
        id: The staff member's, key's or (for a customer) order's id, as text; empty for the system.
        grants: The roles of staff, or the scopes of a key.
        order_id: The one order that a customer has proven to be theirs.
        question_id: The question that somebody reads by the link of its e-mails; they see nothing but that.
        gift_id: The gift whose receiver a customer has proven to be; they see what they send back of it, and nothing of
            its order.
        name: For pages of staff; never logged or stored in the history.
        knows_inbox: Whether a customer has proven that the order's e-mail address is theirs, by a code that was sent
            there, or that a gift's is. Who has just placed an order has not: they see this order, and nothing else of
            that address.
        views_only: Whether a customer came by a link that shows an order, or a gift's return, and changes nothing; no
            form is taken of them.
    """

    kind: Literal["customer", "staff", "api", "system"]
    id: str = ""
    grants: frozenset[str] = frozenset()
    order_id: UUID | None = None
    name: str = ""
    knows_inbox: bool = True
    views_only: bool = False
    gift_id: UUID | None = None
    question_id: UUID | None = None

    @property
    def has_purse(self) -> bool:
        """Whether points of an e-mail address are the actor's, who got a code there and typed it.

        The address is that of the order, or the receiver's own where they came in for a gift.
        """
        return self.kind == "customer" and self.knows_inbox and (self.order_id or self.gift_id) is not None

    @property
    def label(self) -> str:
        """How the history names the actor: kind and id, no personal data."""
        return f"{self.kind}:{self.id}" if self.id else self.kind

    def has(self, *any_of: str) -> bool:
        """Whether the actor holds one of the roles or scopes; `all` and `admin` hold every one."""
        if self.kind == "system":
            return True
        return not self.grants.isdisjoint({*any_of, "all", "admin"})

    def require(self, *any_of: str) -> None:
        """Refuse an actor that holds none of the roles or scopes.

        Raises:
            ForbiddenError: naming what is missing.
        """
        if not self.has(*any_of):
            raise ForbiddenError("This needs the permission {permission}.", permission=any_of[0])

    def sees_order(self, order_id: UUID) -> bool:
        """Whether records of this order exist for the actor."""
        return self.kind != "customer" or self.order_id == order_id

    def sees_question(self, question_id: UUID, order_id: UUID | None) -> bool:
        """Whether a question exists for the actor: as its own, or as one about their order."""
        if self.kind != "customer" or self.question_id == question_id:
            return True
        return order_id is not None and self.order_id == order_id

    def sees_return(self, order_id: UUID, gift_id: UUID | None) -> bool:
        """Whether a return of this order exists for the actor: that of a gift is its receiver's alone."""
        if self.kind != "customer":
            return True
        return self.gift_id == gift_id if gift_id or self.gift_id else self.order_id == order_id


SYSTEM = Actor(kind="system")
