"""Lists, pages and expansions of the sandbox."""

import time

import pytest
import stripe

from tests.payments.conftest import Pay, refused
from tests.sandboxes import SandboxProcess


@pytest.fixture
def five(sdk: stripe.StripeClient, pay: Pay) -> tuple[str, list[str]]:
    """A payment and its five refunds, newest first."""
    intent_id = pay().id
    ids = [sdk.v1.refunds.create({"payment_intent": intent_id, "amount": 10}).id for _ in range(5)]
    return intent_id, ids[::-1]


def test_pages_go_from_the_newest_to_the_oldest(sdk: stripe.StripeClient, five: tuple[str, list[str]]) -> None:
    intent_id, ids = five
    first = sdk.v1.refunds.list({"payment_intent": intent_id, "limit": 2})
    assert ([refund.id for refund in first.data], first.has_more) == (ids[:2], True)
    last = sdk.v1.refunds.list({"payment_intent": intent_id, "limit": 3, "starting_after": ids[1]})
    assert ([refund.id for refund in last.data], last.has_more) == (ids[2:], False)
    back = sdk.v1.refunds.list({"payment_intent": intent_id, "limit": 2, "ending_before": ids[3]})
    assert ([refund.id for refund in back.data], back.has_more) == (ids[1:3], True)
    assert [refund.id for refund in first.auto_paging_iter()] == ids
    by_charge = sdk.v1.refunds.list({"charge": str(first.data[0].charge)})
    assert [refund.id for refund in by_charge.data] == ids


def test_lists_are_limited_by_creation(sdk: stripe.StripeClient, five: tuple[str, list[str]]) -> None:
    intent_id, ids = five
    now = int(time.time())
    recent = sdk.v1.refunds.list({"payment_intent": intent_id, "created": {"gte": now - 60, "lte": now + 1}})
    assert [refund.id for refund in recent.data] == ids
    assert sdk.v1.refunds.list({"payment_intent": intent_id, "created": {"gt": now + 60}}).data == []
    assert sdk.v1.refunds.list({"payment_intent": intent_id, "created": {"lt": now - 60}}).data == []
    newest = sdk.v1.refunds.list({"created": {"gte": now - 60}, "limit": 1})
    assert newest.data[0].id == ids[0]
    intents = sdk.v1.payment_intents.list({"created": {"gte": now - 60}, "limit": 100})
    assert intent_id in {intent.id for intent in intents.data}


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "parameter_invalid_integer", "limit"),
        ("limit=101", "parameter_invalid_integer", "limit"),
        ("limit=many", "parameter_invalid_integer", "limit"),
        ("starting_after=re_none", "resource_missing", "starting_after"),
        ("starting_after=re_1&ending_before=re_2", None, "ending_before"),
        ("created[since]=1", "parameter_unknown", "created[since]"),
        ("expand[]=metadata", None, "expand"),
        ("expand[]=charge", None, "expand"),
    ],
)
def test_bad_pages_are_refused(sandbox: SandboxProcess, query: str, code: str | None, param: str) -> None:
    status, answer, _ = sandbox.send("GET", "/v1/refunds", query)
    assert status in {400, 404}
    assert (answer["error"].get("code"), answer["error"]["param"]) == (code, param)


def test_ids_are_expanded_to_what_they_name(sdk: stripe.StripeClient, five: tuple[str, list[str]]) -> None:
    intent_id, ids = five
    refund = sdk.v1.refunds.retrieve(ids[0], {"expand": ["charge.balance_transaction", "payment_intent"]})
    assert isinstance(refund.charge, stripe.Charge)
    assert isinstance(refund.charge.balance_transaction, stripe.BalanceTransaction)
    assert refund.charge.balance_transaction.source == refund.charge.id
    assert isinstance(refund.payment_intent, stripe.PaymentIntent)
    page = sdk.v1.refunds.list({"payment_intent": intent_id, "expand": ["data.balance_transaction.source"]})
    lines = [refund.balance_transaction for refund in page.data]
    assert all(isinstance(line, stripe.BalanceTransaction) for line in lines)
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels") as caught:
        sdk.v1.refunds.retrieve(ids[0], {"expand": ["charge.payment_intent.latest_charge.payment_intent.x"]})
    assert refused(caught)[1] == "property_expansion_max_depth"
