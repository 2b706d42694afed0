"""What programs learn of an order: what can go back, and the rule that says so."""

from collections.abc import AsyncIterator

import pytest

from returns_portal.accounts.actions import create_api_key
from returns_portal.actor import SYSTEM
from returns_portal.policies.content import Conditions, Content, Effects, Postage, Rule
from tests.policies.test_postage import an_order, promised
from tests.portal import Portal
from tests.webclient import Browser, browsing

pytestmark = pytest.mark.anyio
RULES = Content(
    postage=Postage.CUSTOMER,
    fees={"EUR": 490},
    rules=(Rule("Sale", Conditions(skus=("KE-*",)), Effects(final_sale=True, bonus_percent=0)),),
)


@pytest.fixture
async def program(portal: Portal, database_url: str) -> AsyncIterator[Browser]:
    async with portal.begin() as db:
        key = await create_api_key(db, SYSTEM, "shop", ["returns:read", "returns:write"])
    async with browsing(portal.settings, database_url) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def test_each_outcome_has_the_rule_that_made_it(program: Browser, portal: Portal) -> None:
    await promised(portal, RULES)
    number, [line] = await an_order(portal)
    answer = await program.get("/api/v1/returns/eligibility", params={"order_number": f"#{number}"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["order_number"], told["policy_version"]) == (number, 2)
    [found] = told["lines"]
    assert (found["line_id"], found["returnable"], found["refused"]) == (str(line), 2, "")
    assert (found["postage"], found["fee"], found["outcomes"]) == ("customer", 490, ["original", "points"])
    assert found["because"]["final_sale"] == {"rule": "Sale", "law": "the law gives you 14 days to withdraw"}
    assert found["because"]["bonus_percent"] == {"rule": "Sale", "law": ""}
    faulty = {"order_number": number, "faulty": str(line)}
    [found] = (await program.get("/api/v1/returns/eligibility", params=faulty)).json()["lines"]
    assert (found["postage"], found["fee"], found["because"]["postage"]["law"]) == (
        "shop",
        0,
        "faulty goods go back at our expense",
    )
    assert (await program.get("/api/v1/returns/eligibility?order_number=none")).status_code == 404


async def test_a_final_sale_is_refused_with_its_code_and_sentence(program: Browser, portal: Portal) -> None:
    final = Effects(final_sale=True, exception="personalised")
    await promised(portal, Content(rules=(Rule("Engraved", then=final),)))
    number, [line] = await an_order(portal)
    [found] = (await program.get(f"/api/v1/returns/eligibility?order_number={number}")).json()["lines"]
    assert (found["returnable"], found["refused"]) == (0, "final_sale")
    assert found["sentence"] == "Final sale (Engraved): this item cannot be sent back."
    body = {"order_number": number, "lines": [{"line_id": str(line), "quantity": 1}]}
    refused = await program.post("/api/v1/returns", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "final_sale")


async def test_a_return_is_filed_with_its_fee_and_shown_with_it(program: Browser, portal: Portal) -> None:
    await promised(portal, RULES)
    number, [line] = await an_order(portal)
    body = {"order_number": number, "lines": [{"line_id": str(line), "quantity": 1}]}
    filed = (await program.post("/api/v1/returns", json=body)).json()
    assert (filed["refund_preview"]["total"], filed["refund_preview"]["fee"]) == (15410, 490)
    assert (filed["postage"], filed["kept"]) == ("customer", False)
    shown = (await program.get(f"/api/v1/returns/{filed['rma']}")).json()
    assert (shown["postage"], shown["postage_fee"], shown["policy_version"]) == ("customer", 490, 2)


@pytest.mark.parametrize(
    ("content", "postage", "kept"),
    [
        (Content(postage=Postage.OWN_LABEL), "own_label", False),
        (Content(rules=(Rule("Keep", then=Effects(keep_it=True)),)), "shop", True),
    ],
)
async def test_where_no_label_is_made_none_is_named(
    program: Browser, portal: Portal, content: Content, postage: str, kept: bool
) -> None:
    await promised(portal, content)
    number, [line] = await an_order(portal)
    body = {"order_number": number, "lines": [{"line_id": str(line), "quantity": 1}]}
    filed = (await program.post("/api/v1/returns", json=body)).json()
    assert (filed["label"], filed["postage"], filed["kept"]) == (None, postage, kept)
    assert (await program.get(f"/api/v1/returns/{filed['rma']}")).json()["label"] is None
