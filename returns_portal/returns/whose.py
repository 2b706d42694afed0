"""Whose a return is, as SQL: `r` is the return (if any), `o` its order.

A return is the customer's whose order it is. One that the receiver of a gift files is the receiver's: to them it is
written, from their address it comes, their points account gets its value; and the customer who gave it learns nothing.
Gifts stand above returns and are not imported here.
"""

from typing import Final

WITH_GIFT: Final = "LEFT JOIN gift ON gift.id = r.gift_id"
"""Joins what the others read."""
EMAIL: Final = "coalesce(gift.email, o.email)"
NAME: Final = "coalesce(gift.name, o.name)"
NUMBER: Final = "CASE WHEN r.gift_id IS NULL THEN o.number ELSE '' END"
"""The order's number for letters: to the receiver of a gift it is not told."""
LOCALE: Final = "coalesce(gift.locale, o.locale)"
ADDRESS: Final = "coalesce(gift.address, o.address)"
LABELLED: Final = "coalesce(r.travels_with, r.id)"
"""The id of the return whose labels are those of the parcel that `r` travels in: its own, or the one that leads."""
PHONE: Final = "CASE WHEN gift.id IS NULL THEN o.phone ELSE '' END"
