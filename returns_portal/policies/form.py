"""The form of a policy: what it shows of one, and what it says of the next, rule by rule."""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from returns_portal.errors import InvalidError
from returns_portal.i18n import _
from returns_portal.money import Money, is_currency, to_minor
from returns_portal.policies.content import DEFAULT, Conditions, Content, Effects, Outcome, Postage, Rule, check
from returns_portal.web import Form

BOTH: Final = "original points"
_FINAL: Final = {"": (None, ""), "no": (False, ""), "yes": (True, "")} | {
    word: (True, word) for word in ("personalised", "hygiene")
}
_YES_NO: Final = {"": None, "yes": True, "no": False}
_WORDS: Final = ("countries", "skus", "products", "tags")
_PARTS: Final = (
    *("name", *_WORDS, "currency", "price_from", "price_to", "days_from", "days_to", "faulty"),
    *("final_sale", "return_days", "bonus_percent", "outcomes", "postage", "fees", "keep_it"),
)
"""The fields of a rule."""

Fields = dict[str, str]


def fields_of(content: Content) -> Fields:
    """A policy as fields of the form."""
    fields = {
        "return_days": str(content.return_days),
        "bonus_percent": str(content.bonus_percent),
        "outcomes": " ".join(content.outcomes),
        "postage": content.postage.value,
        "fees": _fees_shown(content.fees),
        "exchange_days": str(content.exchange_days),
    }
    for place, rule in enumerate(content.rules):
        fields |= {f"rule-{place}-{name}": text for name, text in _rule_shown(rule).items()}
    return fields


def _rule_shown(rule: Rule) -> Fields:
    when, then = rule.when, rule.then
    final = then.exception or _word(then.final_sale)
    return {
        "name": rule.name,
        **{name: " ".join(getattr(when, name)) if name != "tags" else ", ".join(when.tags) for name in _WORDS},
        "currency": when.currency,
        "price_from": _amount(when.price_from, when.currency),
        "price_to": _amount(when.price_to, when.currency),
        "days_from": _number(when.days_from),
        "days_to": _number(when.days_to),
        "faulty": _word(when.faulty),
        "final_sale": final,
        "return_days": _number(then.return_days),
        "bonus_percent": _number(then.bonus_percent),
        "outcomes": " ".join(then.outcomes or ()),
        "postage": then.postage.value if then.postage else "",
        "fees": _fees_shown(then.fees),
        "keep_it": _word(then.keep_it),
    }


def _word(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(Money(minor, currency).decimal)


def _fees_shown(fees: Mapping[str, int]) -> str:
    return ", ".join(f"{currency} {_amount(fee, currency)}" for currency, fee in fees.items())


def rules_in(typed: Mapping[str, str]) -> int:
    """How many rules the form has."""
    places = [int(found[1]) for name in typed if (found := re.fullmatch(r"rule-([0-9]{1,2})-name", name))]
    return max(places, default=-1) + 1


def changed(typed: Mapping[str, str], step: str) -> Fields:
    """The fields after a button that adds, removes or moves up a rule."""
    rules = [{name: typed.get(f"rule-{place}-{name}", "") for name in _PARTS} for place in range(rules_in(typed))]
    verb, _dash, number = step.partition("-")
    place = int(number) if re.fullmatch(r"[0-9]{1,2}", number) else -1
    if verb == "add":
        rules.append(dict.fromkeys(_PARTS, ""))
    elif verb == "remove" and 0 <= place < len(rules):
        del rules[place]
    elif verb == "up" and 0 < place < len(rules):
        rules[place - 1], rules[place] = rules[place], rules[place - 1]
    kept = {name: value for name, value in typed.items() if not name.startswith("rule-")}
    return kept | {f"rule-{place}-{name}": text for place, rule in enumerate(rules) for name, text in rule.items()}


def read_form(sent: Form) -> tuple[Content | None, dict[str, str]]:
    """The policy that a form says; None with what is wrong with it, by field."""
    errors: dict[str, str] = {}
    exchange_days = _whole(sent, "exchange_days", errors, needed=False)
    content = Content(
        return_days=_whole(sent, "return_days", errors) or 0,
        bonus_percent=_whole(sent, "bonus_percent", errors) or 0,
        outcomes=_outcomes(sent.get("outcomes", "")) or (),
        postage=_postage(sent.get("postage", "")) or Postage.SHOP,
        fees=_fees(sent, "fees", errors),
        exchange_days=DEFAULT.exchange_days if exchange_days is None else exchange_days,
        rules=tuple(_rule(sent, f"rule-{place}-", errors) for place in range(rules_in(sent))),
    )
    if errors:
        return None, errors
    try:
        check(content)
    except InvalidError as error:
        return None, {field_of(error.field): _(error.sentence, **error.values)}
    return content, {}


def field_of(path: str | None) -> str:
    """The form's field for a place in a policy: `rules[2].name` is `rule-2-name`."""
    if path == "starts_at":
        return "starts_on"
    found = re.fullmatch(r"rules\[([0-9]+)\]\.(\w+)", path or "")
    if not found:
        return path or ""
    return f"rule-{found[1]}-{'final_sale' if found[2] == 'exception' else found[2]}"


def _rule(sent: Form, at: str, errors: dict[str, str]) -> Rule:
    final, exception = _FINAL.get(sent.get(f"{at}final_sale", ""), (None, ""))
    currency = sent.get(f"{at}currency", "").upper()
    values: dict[str, Any] = {
        "name": sent.get(f"{at}name", ""),
        "when": Conditions(
            countries=_list(sent.get(f"{at}countries", "").upper()),
            skus=_list(sent.get(f"{at}skus", "")),
            products=_list(sent.get(f"{at}products", "")),
            # A tag may have spaces in it.
            tags=tuple(word.strip() for word in sent.get(f"{at}tags", "").split(",") if word.strip()),
            currency=currency,
            price_from=_minor(sent, f"{at}price_from", currency, errors),
            price_to=_minor(sent, f"{at}price_to", currency, errors),
            days_from=_whole(sent, f"{at}days_from", errors, needed=False),
            days_to=_whole(sent, f"{at}days_to", errors, needed=False),
            faulty=_YES_NO.get(sent.get(f"{at}faulty", "")),
        ),
        "then": Effects(
            final_sale=final,
            exception=exception,  # type: ignore[arg-type]  # a word of the table above
            return_days=_whole(sent, f"{at}return_days", errors, needed=False),
            bonus_percent=_whole(sent, f"{at}bonus_percent", errors, needed=False),
            outcomes=_outcomes(sent.get(f"{at}outcomes", "")),
            postage=_postage(sent.get(f"{at}postage", "")),
            fees=_fees(sent, f"{at}fees", errors),
            keep_it=_YES_NO.get(sent.get(f"{at}keep_it", "")),
        ),
    }
    return msgspec.convert(values, Rule)


def _list(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _outcomes(text: str) -> tuple[Outcome, ...] | None:
    table: dict[str, tuple[Outcome, ...]] = {
        BOTH: ("original", "points"),
        "original": ("original",),
        "points": ("points",),
    }
    return table.get(text)


def _postage(text: str) -> Postage | None:
    return Postage(text) if text in list(Postage) else None


def _whole(sent: Form, name: str, errors: dict[str, str], *, needed: bool = True) -> int | None:
    text = sent.get(name, "")
    if not text and not needed:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text):
        errors[name] = _("Please give a whole number.")
        return None
    return int(text)


def _minor(sent: Form, name: str, currency: str, errors: dict[str, str]) -> int | None:
    text = sent.get(name, "").replace(",", ".")
    if not text:
        return None
    if not is_currency(currency):
        return 0  # What is wrong is the currency, and the check says so.
    try:
        return to_minor(text, currency)
    except ValueError:
        errors[name] = _("An amount such as 1500 or 1500.00.")
        return None


def _fees(sent: Form, name: str, errors: dict[str, str]) -> dict[str, int]:
    """`EUR 4.90, USD 5.50`, as people write it."""
    text = sent.get(name, "")
    found = re.findall(r"([A-Za-z]{3})\s*([0-9]+(?:[.,][0-9]{1,3})?)", text)
    rest = re.sub(r"([A-Za-z]{3})\s*([0-9]+(?:[.,][0-9]{1,3})?)", "", text)
    try:
        fees = {currency.upper(): to_minor(amount.replace(",", "."), currency.upper()) for currency, amount in found}
    except (ValueError, KeyError):
        fees = {}
    if rest.strip(" ,;") or len(fees) != len(found):
        errors[name] = _("Give fees as a currency and an amount, such as EUR 4.90.")
    return fees
