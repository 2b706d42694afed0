"""How small addresses are set so that they keep within their places on a label."""

import msgspec

from returns_portal.documents.symbols import DOTS_PER_INCH, POINTS_PER_DOT
from returns_portal.labels.drawing import CROWDED, USUAL, Plan, Room
from returns_portal.labels.wording import BASELINE, CAPTION_TYPE

_SENDER_TYPE = (10.5, 9.0, 7.5, 8.0, 6.5, 5.5, 4.5, 4.0)
_RECIPIENT_TYPE = (15.0, 12.5, 10.5, 9.0, 7.5, 6.5, 5.5, 4.5, 4.0)
"""Points in which the addresses are set, tried in turn until they keep within their places."""
_FIRST_CROWDED = 3
"""From this step of the sender on, addresses take the label's whole width."""
_RUN_IN_BELOW = 6.0
"""Points below which the lines of an address follow one another in one paragraph."""
_LEADING, _RUN_IN_LEADING, _TALL_LEADING = 1.2, 1.12, 1.6
"""From line to line, in multiples of the type size; the first as in the stylesheet."""
_OVERHANG = 2
"""Dots."""


class Fit(msgspec.Struct, frozen=True):
    """How small the two addresses are set, as steps of the type above."""

    sender: int = 0
    recipient: int = 0

    @property
    def plan(self) -> Plan:
        """Where things stand with it."""
        return CROWDED if self.sender >= _FIRST_CROWDED else USUAL

    @property
    def sender_points(self) -> float:
        """The type of the sender's address."""
        return _SENDER_TYPE[self.sender]

    @property
    def line_by_line(self) -> bool:
        """Whether each line of the sender's address begins a line."""
        return self.sender_points >= _RUN_IN_BELOW

    def after(self, sender_end: float, recipient_end: float) -> "Fit":
        """The next step for the address that ends too far down (in dots); this one if both fit, or none is left."""
        return Fit(
            sender=min(self.sender + (sender_end > self.plan.sender.end), len(_SENDER_TYPE) - 1),
            recipient=min(self.recipient + (recipient_end > self.plan.recipient.end), len(_RECIPIENT_TYPE) - 1),
        )

    def setting(self, *, tall_sender: bool, tall_recipient: bool) -> dict[str, object]:
        """The templates' values for it; of tall scripts, lines stand further apart."""
        return {
            "crowded": self.plan is CROWDED,
            "sender": _address_setting(self.sender_points, self.plan.sender, tall=tall_sender),
            "recipient": _address_setting(_RECIPIENT_TYPE[self.recipient], self.plan.recipient, tall=tall_recipient),
        }


def dots(length: float) -> float:
    """WeasyPrint measures in px, 96 to the inch."""
    return length * DOTS_PER_INCH / 96


def _address_setting(points: float, room: Room, *, tall: bool) -> dict[str, object]:
    """What parts the lines of an address, and the style of its block.

    The block is shifted so that the caption in its first line keeps its place whatever the type. It may grow a
    little over its room, which shows that it does not fit, and no further.
    """
    run_in = points < _RUN_IN_BELOW
    leading = _TALL_LEADING if tall else _RUN_IN_LEADING if run_in else _LEADING
    top = room.top * POINTS_PER_DOT + (CAPTION_TYPE - points) * BASELINE
    height = (room.end + _OVERHANG) * POINTS_PER_DOT - top
    return {
        "style": f"font-size:{points}pt;top:{top:.2f}pt;max-height:{height:.2f}pt"
        + (f";line-height:{leading}" if leading != _LEADING else ""),
        "part": " · " if run_in else "\n",
    }
