"""What a policy says of an item; above every rule stands the law."""

from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns_portal.errors import InvalidError
from returns_portal.policies.content import DEFAULT, Conditions, Content, Effects, Postage, Rule, check, read, written
from returns_portal.policies.rules import LAW, PROTECTED, Facts, Verdict, judge, together
from returns_portal.returns.periods import PERIODS

SOCKS = Facts(country="US", currency="EUR", sku="SO-1", price=900, days=20)
FEE = Content(postage=Postage.CUSTOMER, fees={"EUR": 490})


def ruled(*rules: Rule, base: Content = DEFAULT) -> Content:
    return Content(base.return_days, base.bonus_percent, base.outcomes, base.postage, base.fees, rules)


def test_without_rules_the_defaults_hold() -> None:
    verdict = judge(DEFAULT, SOCKS)
    assert (verdict.final_sale, verdict.return_days, verdict.bonus_percent) == (False, 90, 10)
    assert (verdict.outcomes, verdict.postage, verdict.fee) == (("original", "points"), Postage.SHOP, 0)
    assert verdict.because["return_days"].rule == ""


def test_the_first_rule_that_says_something_about_an_aspect_decides_it_and_is_named() -> None:
    content = ruled(
        Rule("Socks", Conditions(skus=("SO-*",)), Effects(final_sale=True)),
        Rule("Overseas", Conditions(countries=("US",)), Effects(final_sale=False, postage=Postage.OWN_LABEL)),
    )
    verdict = judge(content, SOCKS)
    assert (verdict.final_sale, verdict.because["final_sale"].rule) == (True, "Socks")
    assert (verdict.postage, verdict.because["postage"].rule) == (Postage.OWN_LABEL, "Overseas")


@dataclass
class Case:
    when: Conditions
    fits: bool


@pytest.mark.parametrize(
    "case",
    [
        Case(Conditions(skus=("SO-1",)), True),
        Case(Conditions(skus=("SO-",)), False),
        Case(Conditions(products=("sock",)), True),
        Case(Conditions(tags=("Winter",)), True),
        Case(Conditions(tags=("Summer",)), False),
        Case(Conditions(currency="EUR", price_from=900, price_to=900), True),
        Case(Conditions(currency="EUR", price_to=899), False),
        Case(Conditions(currency="USD", price_to=2000), False),
        Case(Conditions(days_from=20, days_to=20), True),
        Case(Conditions(days_from=21), False),
        Case(Conditions(faulty=True), False),
        Case(Conditions(faulty=False), True),
    ],
)
def test_a_rule_applies_where_everything_that_it_names_fits(case: Case) -> None:
    facts = Facts("US", "EUR", "SO-1", 900, "sock", frozenset({"winter"}), 20)
    content = ruled(Rule("It", case.when, Effects(bonus_percent=33)))
    assert (judge(content, facts).bonus_percent == 33) is case.fits


def test_goods_whose_delivery_is_not_known_fit_no_number_of_days() -> None:
    content = ruled(Rule("Late", Conditions(days_from=0), Effects(bonus_percent=0)))
    assert judge(content, Facts("US", "EUR", "SO-1", 900)).bonus_percent == 10


def test_what_no_price_was_told_for_costs_nothing() -> None:
    verdict = judge(FEE, Facts("US", "USD", "SO-1", 900))
    assert (verdict.postage, verdict.fee) == (Postage.SHOP, 0)


def test_in_one_parcel_the_best_postage_and_the_lowest_bonus_hold() -> None:
    content = ruled(
        Rule("Socks", Conditions(skus=("SO-1",)), Effects(bonus_percent=5, outcomes=("points",), keep_it=True)),
        base=FEE,
    )
    sock, shoe = judge(content, SOCKS), judge(content, Facts("US", "EUR", "SH-1", 9000, faulty=True))
    both = together([sock, shoe])
    assert (both.postage, both.fee, both.because["postage"].law) == (Postage.SHOP, 0, "faulty")
    assert (both.bonus_percent, both.because["bonus_percent"].rule) == (5, "Socks")
    assert both.outcomes == ("points",)
    assert (sock.keep_it, both.keep_it) == (True, False)


WORDS = st.sampled_from(["SO-1", "SH-1", "SO-*", "*"])
CONDITIONS = st.builds(
    Conditions,
    countries=st.sampled_from([(), ("DE",), ("US", "GB")]),
    skus=st.lists(WORDS, max_size=2).map(tuple),
    days_from=st.none() | st.integers(0, 30),
    faulty=st.none() | st.booleans(),
)
EFFECTS = st.builds(
    Effects,
    final_sale=st.none() | st.booleans(),
    exception=st.just(""),
    return_days=st.none() | st.integers(14, 400),
    bonus_percent=st.none() | st.integers(0, 100),
    outcomes=st.sampled_from([None, ("points",), ("original",), ("original", "points")]),
    postage=st.none() | st.sampled_from(Postage),
    fees=st.sampled_from([{}, {"EUR": 490}, {"USD": 700}]),
    keep_it=st.none() | st.booleans(),
)
RULES = st.lists(st.builds(Rule, st.just("a rule"), CONDITIONS, EFFECTS), max_size=4).map(tuple)
CONTENTS = st.builds(
    Content,
    return_days=st.integers(14, 400),
    bonus_percent=st.integers(0, 100),
    outcomes=st.sampled_from([("points",), ("original",), ("original", "points")]),
    postage=st.sampled_from(Postage),
    fees=st.sampled_from([{}, {"EUR": 490}, {"JPY": 800}]),
    rules=RULES,
)
FACTS = st.builds(
    Facts,
    country=st.sampled_from(["", "DE", "GB", "NO", "US", "UA"]),
    currency=st.sampled_from(["EUR", "USD"]),
    sku=st.sampled_from(["SO-1", "SH-1"]),
    price=st.integers(0, 10**6),
    days=st.none() | st.integers(0, 40),
    faulty=st.booleans(),
)


@given(CONTENTS, FACTS)
def test_whatever_the_rules_say_the_law_stands_above_them(content: Content, facts: Facts) -> None:
    verdict = judge(content, facts)
    protected = facts.country in {"", "DE", "GB", "NO"}
    by_law = protected and (facts.days is None or facts.days <= 14)
    if by_law or (protected and facts.faulty):
        assert not verdict.final_sale
        assert "original" in verdict.outcomes
    if facts.faulty:
        assert (verdict.postage, verdict.fee) == (Postage.SHOP, 0)
    assert verdict.return_days >= 14
    assert (verdict.fee > 0) == (verdict.postage is Postage.CUSTOMER)
    assert not (verdict.keep_it and verdict.final_sale)
    assert all(by.rule in {"", "a rule"} and by.law in {"", *LAW} for by in verdict.because.values())


@given(CONTENTS, FACTS)
def test_a_fee_is_one_that_the_policy_names(content: Content, facts: Facts) -> None:
    told = [content.fees, *(rule.then.fees for rule in content.rules)]
    fee = judge(content, facts).fee
    assert fee == 0 or fee in {fees.get(facts.currency) for fees in told}


@given(CONTENTS, st.lists(FACTS, min_size=1, max_size=4))
def test_together_nobody_pays_more_than_for_each_and_faulty_goods_make_all_of_it_free(
    content: Content, facts: list[Facts]
) -> None:
    each: list[Verdict] = [judge(content, one) for one in facts]
    both = together(each)
    assert both.fee <= max(verdict.fee for verdict in each)
    if any(one.faulty for one in facts):
        assert (both.postage, both.fee) == (Postage.SHOP, 0)
    assert both.outcomes
    assert both.keep_it == all(verdict.keep_it for verdict in each)


@pytest.mark.parametrize(("days", "final"), [(14, False), (15, True), (None, False)])
def test_a_final_sale_refuses_a_consumer_from_the_fifteenth_day_on(days: int | None, final: bool) -> None:
    content = ruled(Rule("Sale", then=Effects(final_sale=True)))
    verdict = judge(content, Facts("DE", "EUR", "SO-1", 900, days=days))
    assert verdict.final_sale is final
    assert verdict.because["final_sale"].law == ("" if final else "withdrawal")


@pytest.mark.parametrize("exception", ["personalised", "hygiene"])
def test_an_exception_of_the_law_refuses_at_once(exception: str) -> None:
    content = read({"rules": [{"name": "Underwear", "then": {"final_sale": True, "exception": exception}}]})
    assert judge(content, Facts("DE", "EUR", "SO-1", 900, days=1)).final_sale
    assert not judge(content, Facts("DE", "EUR", "SO-1", 900, days=1, faulty=True)).final_sale


def test_the_countries_are_those_that_have_a_period_of_withdrawal() -> None:
    # The EU, the EEA, the United Kingdom, Ukraine. No page may say that the law gives what a rule takes away.
    assert len(PROTECTED) == 27 + 3 + 1 + 1
    assert set(PERIODS) == PROTECTED


@given(CONTENTS)
def test_a_policy_survives_being_written_and_read(content: Content) -> None:
    told = ruled(
        *(
            msgspec.structs.replace(rule, name=str(place))
            for place, rule in enumerate(content.rules)
            if rule.then != Effects()
        ),
        base=msgspec.structs.replace(content, fees={"EUR": 490}),
    )
    assert read(written(told)) == told


@pytest.mark.parametrize(
    ("field", "raw"),
    [
        ("return_days", {"return_days": 13}),
        ("return_days", {"return_days": "soon"}),
        ("bonus_percent", {"bonus_percent": 101}),
        ("outcomes", {"outcomes": []}),
        ("fees", {"postage": "customer"}),
        ("fees", {"fees": {"EUR": 0}}),
        ("fees", {"fees": {"EURO": 100}}),
        ("rules[0].name", {"rules": [{"name": " ", "then": {"final_sale": True}}]}),
        ("rules[0].name", {"rules": [{"name": "Nothing"}]}),
        ("rules[1].name", {"rules": [{"name": "A", "then": {"keep_it": True}}] * 2}),
        ("rules[0].exception", {"rules": [{"name": "A", "then": {"keep_it": True, "exception": "hygiene"}}]}),
        ("rules[0].countries", {"rules": [{"name": "A", "when": {"countries": ["XX"]}, "then": {"keep_it": True}}]}),
        ("rules[0].currency", {"rules": [{"name": "A", "when": {"price_to": 5}, "then": {"keep_it": True}}]}),
        (
            "rules[0].days_to",
            {"rules": [{"name": "A", "when": {"days_from": 5, "days_to": 4}, "then": {"keep_it": True}}]},
        ),
        ("rules", {"rules": [{"name": str(place), "then": {"keep_it": True}} for place in range(21)]}),
    ],
)
def test_a_policy_that_cannot_hold_is_refused_by_its_place(field: str, raw: dict[str, object]) -> None:
    with pytest.raises(InvalidError) as refused:
        read(raw)
    assert refused.value.field == field


def test_an_unknown_word_in_a_file_is_told() -> None:
    with pytest.raises(InvalidError, match="unknown field"):
        read({"colour": "green"})
    check(DEFAULT)
