"""What the shop does about an order that has just come in: its own choice, all of it off until it is made."""

import msgspec


class Confirming(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shop's choices. Off is right for a shop whose own system writes and calls already: nobody gets it twice."""

    order_received_mail: bool = False
    """Whether customers are told at once that their order has come in."""
    from_files: bool = False
    """Whether orders of imported files count as new, too, where they were placed of late."""

    @property
    def looks(self) -> bool:
        """Whether anything is done about a new order."""
        return self.order_received_mail
