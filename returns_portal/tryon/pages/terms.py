"""The terms of an order, as the customer reads and keeps them.

An off-session charge needs a consent that names the sum or how it comes about, when it is charged, and that nobody is
asked again (docs.stripe.com, "Save a payment method for future use"). Silence counts as keeping only where it says so
here. The withdrawal period of what is kept begins with the approval (BGH, VIII ZR 265/03), and nothing here
shortens it.
"""

import msgspec

from returns_portal.i18n import _, ngettext
from returns_portal.shop.queries import ShopInfo
from returns_portal.tryon.models import Mode, Strategy
from returns_portal.tryon.rules import Policy, choose, deposit_of
from returns_portal.web import formats

WITHDRAWAL_DAYS = 14
"""Directive 2011/83/EU, Art. 9(1)."""


class Offer(msgspec.Struct, frozen=True):
    """What is to be ordered, in minor units of `currency`."""

    mode: Mode
    total: int
    currency: str

    def today(self, rules: Policy) -> int:
        """What is charged at checkout, before points."""
        return self.total if self.mode is Mode.PURCHASE else deposit_of(self.total, rules)


def terms(offer: Offer, rules: Policy, shop: ShopInfo) -> list[str]:
    """The terms, a paragraph each."""
    return _purchase(offer, shop) if offer.mode is Mode.PURCHASE else _trial(offer, rules, shop)


def _purchase(offer: Offer, shop: ShopInfo) -> list[str]:
    amount = formats.money(offer.total, offer.currency)
    return [
        _("You buy what is in your basket from {shop} for {amount}.", shop=shop.name, amount=amount),
        _("{amount} are charged to your card today, less what you pay with points.", amount=amount),
        _rights(shop),
    ]


def _trial(offer: Offer, rules: Policy, shop: ShopInfo) -> list[str]:
    most = formats.money(offer.total, offer.currency)
    return [
        _(
            "{shop} sends you what is in your basket to be tried at home. You pay for what you keep, at most {most}.",
            shop=shop.name,
            most=most,
        ),
        *_money(offer, rules, most),
        ngettext(
            "The trial begins when the last parcel has arrived, and ends {n} day later, at the end of the day.",
            "The trial begins when the last parcel has arrived, and ends {n} days later, at the end of the day.",
            rules.trial_days,
        ),
        _(
            "When it has ended, we charge your card for what you keep, without asking you again. The sum is the prices"
            " of the items that you keep, less your deposit and your points."
        ),
        _silence(rules),
        ngettext(
            "What you send back travels free with the label in the parcel. If no carrier and no warehouse of ours has"
            " seen it {n} day after the end of the trial, it is charged, and paid back once it arrives.",
            "What you send back travels free with the label in the parcel. If no carrier and no warehouse of ours has"
            " seen it {n} days after the end of the trial, it is charged, and paid back once it arrives.",
            rules.grace_days,
        ),
        _("What arrives damaged, or not at all, is not charged: tell us on the page of your order."),
        _rights(shop) + " " + _("Both periods begin when the trial is settled."),
    ]


def _money(offer: Offer, rules: Policy, most: str) -> list[str]:
    deposit = offer.today(rules)
    if deposit:
        amount = formats.money(deposit, offer.currency)
        first = _(
            "A deposit of {amount} is charged today. It counts towards what you keep, and what is over comes back.",
            amount=amount,
        )
    else:
        first = _("Nothing is charged today.")
    if choose(rules.trial_days, rules).strategy is Strategy.HOLD:
        return [
            first,
            _(
                "Your bank sets up to {most} aside on your card until the trial is settled. That is no payment: what"
                " you do not keep is set free. When the bank's time for it runs out, we may ask the bank for it anew.",
                most=most,
            ),
        ]
    return [first, _("Your card is kept by our payment provider Stripe for this order. Nothing is set aside on it.")]


def _silence(rules: Policy) -> str:
    if rules.silence_keeps:
        return _(
            "What you say nothing about until the end counts as kept, and is charged. We remind you twice before, and"
            " it does not count while the label is on its way to us."
        )
    return _("What you say nothing about until the end is not bought by that, and is not charged: please send it back.")


def _rights(shop: ShopInfo) -> str:
    return _(
        "You may withdraw from the contract within {days} days without giving a reason, as the law says, and send"
        " anything back to us within {more} days.",
        days=WITHDRAWAL_DAYS,
        more=shop.return_days,
    )
