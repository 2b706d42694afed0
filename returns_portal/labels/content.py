"""What a label says, ready for the printer: plain records, so that they travel to another process."""

from datetime import date
from typing import Literal

import msgspec

Size = Literal["4x6", "a4", "letter"]
SIZES: tuple[Size, ...] = ("4x6", "a4", "letter")

LONGEST_NAME = 200
LONGEST_LINE = 200
"""Longer names and lines than these (characters) are cut with an ellipsis; up to them, all is printed."""


class LabelItem(msgspec.Struct, frozen=True):
    """Some pieces of one article that go back."""

    quantity: int
    title: str
    size: str
    color: str


class PostalAddress(msgspec.Struct, frozen=True):
    """A sender or recipient. `country` is ISO 3166-1 alpha-2."""

    name: str
    line1: str
    line2: str
    city: str
    region: str
    postal_code: str
    country: str


class LabelContent(msgspec.Struct, frozen=True):
    """All that a label and its packing slip say.

    `code` is exactly what Code 128 and QR hold: up to 24 printable ASCII characters. `licence` is the number of the
    shop's prepaid-reply licence, `locale` the customer's language. `sandbox` says that no money moves.
    """

    code: str
    carrier: str
    sender: PostalAddress
    recipient: PostalAddress
    licence: str
    order_number: str
    items: tuple[LabelItem, ...]
    issued: date
    locale: str
    shop_name: str
    shop_phone: str
    shop_email: str
    sandbox: bool
    to_choose: bool = False
    """Whether it lies in a trial's parcel: then any of the items may go back, and none has to."""
    fellows: tuple[str, ...] = ()
    """The numbers of the returns of other orders that travel in the same parcel."""
    charged: bool = False
    """Whether the customer pays for it, by what is kept of the refund."""
