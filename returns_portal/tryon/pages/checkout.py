"""The checkout: who orders, where to, what they agree to, and what they may pay with."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from returns_portal import i18n
from returns_portal.accounts.rules import email_key, is_email
from returns_portal.actor import Actor
from returns_portal.i18n import _
from returns_portal.labels.addresses import countries
from returns_portal.points.queries import account_of, balances_of
from returns_portal.points.statement import own_address
from returns_portal.shop.queries import ShopInfo
from returns_portal.tryon.models import Mode
from returns_portal.tryon.ordering import TrialInput, Wanted
from returns_portal.tryon.pages.basket import BasketPage, Entry, basket_page
from returns_portal.tryon.pages.terms import terms
from returns_portal.tryon.rules import Policy
from returns_portal.web import Form, formats

ADDRESS: Final = ("line1", "line2", "city", "region", "postal_code", "country")
LENGTHS: Final = {"name": 200, "email": 254, "phone": 50} | dict.fromkeys(ADDRESS, 200)
"""Characters of what is typed, by field."""


class Purse(msgspec.Struct, frozen=True):
    """Points that may be spent here, of the address that this browser has proven to be its customer's."""

    email_key: str
    points: int


class CheckoutPage(msgspec.Struct, frozen=True):
    """Everything that the page shows."""

    basket: BasketPage
    mode: Mode
    terms: list[str]
    silence_keeps: bool
    """Whether the terms say so."""
    seal: str
    """Tells whether the terms that were agreed to are still the terms."""
    countries: list[tuple[str, str]]
    country: str
    points: int
    """How many points may be spent; 0 also where it is not known whose they are."""
    points_worth: str


async def checkout_page(
    db: AsyncConnection, entries: Sequence[Entry], rules: Policy, shop: ShopInfo, mode: Mode, purse: Purse | None
) -> CheckoutPage:
    """Put the page together."""
    basket = await basket_page(db, entries, rules, shop, mode=mode)
    text = terms(basket.offer, rules, shop)
    points = min(purse.points, basket.offer.total) if purse else 0
    return CheckoutPage(
        basket=basket,
        mode=mode,
        terms=text,
        silence_keeps=rules.silence_keeps,
        seal=seal_of(text),
        countries=countries(i18n.formatting_locale(i18n.current()), rules.countries if mode is Mode.TRIAL else []),
        country=shop.address.get("country", ""),
        points=points,
        points_worth=formats.money(points, basket.offer.currency) if points else "",
    )


def seal_of(text: Sequence[str]) -> str:
    """A digest of the terms, which travels with the form that shows them."""
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:32]


async def purse_of(db: AsyncConnection, actor: Actor, currency: str) -> Purse | None:
    """The points of a customer who has come in by a code; None where nobody has proven whose points they are."""
    if not actor.has_purse:
        return None
    email = await own_address(db, actor)
    account_id = await account_of(db, email)
    found = await balances_of(db, account_id) if account_id else []
    points = sum(balance.points for balance in found if balance.currency == currency)
    return Purse(email_key(email), points)


def checked(sent: Form) -> dict[str, str]:
    """What is wrong with what was typed, by field; the card is looked at elsewhere."""
    errors: dict[str, str] = {}
    for field, most in LENGTHS.items():
        if len(sent.get(field, "")) > most:
            errors[field] = _("This is longer than {limit} characters.", limit=most)
    if not sent.get("name"):
        errors["name"] = _("Please give your name.")
    if not is_email(sent.get("email", "")):
        errors["email"] = _("Please give your e-mail address: the news of your order goes there.")
    needed = {
        "line1": _("Please give street and house number."),
        "city": _("Please give the place."),
        "country": _("Please choose a country."),
    }
    errors |= {field: text for field, text in needed.items() if not sent.get(field)}
    if not re.fullmatch("[0-9]{1,9}", _points(sent)):
        errors["points"] = _("Please give a whole number of points.")
    if sent.get("consent") != "yes":
        errors["consent"] = _("Please read the terms and agree to them, or nothing can be sent.")
    return errors


def _points(sent: Form) -> str:
    return sent.get("points", "") or "0"


def wanted(sent: Form, page: CheckoutPage, payment_method: str | None) -> TrialInput:
    """The order, as the form says it; the terms as they were shown."""
    return TrialInput(
        email=sent["email"],
        name=sent["name"],
        phone=sent.get("phone", ""),
        locale=i18n.current(),
        shipping_address={field: sent.get(field, "") for field in ADDRESS},
        items=[Wanted(sku, count) for sku, count in page.basket.entries],
        payment_method=payment_method,
        mode=page.mode,
        points=int(_points(sent)),
        terms="\n\n".join(page.terms),
        silence_keeps=page.silence_keeps,
    )
