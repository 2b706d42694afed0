"""What the shop does about an order that has just come in: its own choice, all of it off until it is made."""

import msgspec


class Confirming(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shop's choices. Off is right for a shop whose own system writes and calls already: nobody gets it twice."""

    order_received_mail: bool = False
    """Whether customers are told at once that their order has come in."""
    from_files: bool = False
    """Whether orders of imported files count as new, too, where they were placed of late."""
    call_new_customers: bool = False
    """Whether somebody calls whose address has not ordered before."""
    call_unclear_addresses: bool = False
    """Whether somebody calls where the address or the telephone number cannot be right."""
    call_from: dict[str, int] = {}
    """From which sum on, in minor units by currency, somebody calls; a currency that is missing has no such sum."""

    sms_service_messages: bool = False
    """Whether a courier is announced by SMS, too. It sells nothing: it is part of what was ordered."""

    @property
    def looks(self) -> bool:
        """Whether anything is done about a new order."""
        return self.order_received_mail or self.calls

    @property
    def calls(self) -> bool:
        """Whether anybody is called."""
        return self.call_new_customers or self.call_unclear_addresses or bool(self.call_from)
