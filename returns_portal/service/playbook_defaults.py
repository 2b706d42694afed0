"""The prepared solutions that come with the portal; what the shop writes at its place counts instead."""

from typing import Final, NamedTuple

from returns_portal.i18n import mark
from returns_portal.service.models import Topic


class Delivered(NamedTuple):
    """Sentences for the catalogs: what to check, what to offer, and of the letter how it begins and what is offered."""

    checks: str
    offers: str
    sorry: str
    solution: str


HEARD: Final = mark("You write that {words}.")
AGAIN: Final = mark(
    "Once more, we are sorry for the trouble. Write to me at any time, until everything is as it should be."
    "\n\n{staff}, {shop}"
)
GENERAL: Final = Delivered(
    mark("What happened, and what did the customer expect? What do the order and earlier questions say?"),
    mark("What makes it good again: the price of the delivery, points, or a new item."),
    mark("Dear {customer},\n\nwe are very sorry about what happened."),
    "",
)
DELIVERED: Final = {
    Topic.DAMAGED: Delivered(
        mark(
            "Are there photos, or can the customer send some? Was the box damaged, too? Which carrier brought it?"
            " Is the same item in stock?"
        ),
        mark(
            "A new one at once, before the damaged one is back; or all of the money. The postage is ours. What is worth"
            " less than its way back can stay with the customer."
        ),
        mark(
            "Dear {customer},\n\nwe are very sorry that your parcel arrived damaged. You looked forward to it, and it"
            " should have reached you whole."
        ),
        mark(
            "We send you a new one at once and pay for everything; you need not wait for anything. If you would rather"
            " have your money back, tell us in one line, and all of it goes back."
        ),
    ),
    Topic.ADDRESS: Delivered(
        mark(
            "Which address stands in the order, and which one is right? Has the parcel left, and where does the carrier"
            " say that it is?"
        ),
        mark(
            "Have it brought to the right address where the carrier can; else send it once more at our expense, and"
            " give the price of the delivery back."
        ),
        mark("Dear {customer},\n\nwe are very sorry that your parcel went to the wrong address."),
        mark(
            "We ask the carrier today to bring it to the right one. If that cannot be done, we send everything once"
            " more at our expense, and give back what you paid for the delivery."
        ),
    ),
    Topic.WRONG: Delivered(
        mark("What was ordered, and what came? Is the right one in stock? Did others get the wrong one, too?"),
        mark("The right one at once, and a prepaid label for the other; or the money back. Points for the trouble."),
        mark("Dear {customer},\n\nwe are very sorry that you got something else than you ordered."),
        mark(
            "The right one goes to you at once; you need not wait until the other is back, and its way back costs you"
            " nothing. If you would rather have your money back, tell us in one line."
        ),
    ),
    Topic.LATE: Delivered(
        mark(
            "When was it sent, when was it promised, and where was it scanned last? Does the customer need it on a"
            " certain day?"
        ),
        mark(
            "The price of the delivery back. If it has not moved for days: send everything once more, or give the money"
            " back."
        ),
        mark("Dear {customer},\n\nwe are very sorry that you are still waiting for your parcel."),
        mark(
            "We give back what you paid for the delivery, and look for your parcel with the carrier today. Tomorrow I"
            " write to you what they say. If it is lost, we send everything once more or give your money back, as you"
            " like."
        ),
    ),
    Topic.MISSING: Delivered(
        mark("What is missing, by the packing slip and the weight of the parcel? Was it sent in several parcels?"),
        mark(
            "Send what is missing at once, or give its price back. Nobody can prove that something was not in a box,"
            " and nobody has to."
        ),
        mark("Dear {customer},\n\nwe are very sorry that something was missing in your parcel."),
        mark("We send what is missing at once. If you would rather have its price back, tell us in one line."),
    ),
}
"""Recurring trouble; for everything else there is `GENERAL`."""
