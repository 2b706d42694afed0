"""The second person: what is above the limit waits for somebody else, and fifty clicks are one refund."""

from uuid import UUID

import msgspec
import pytest

from returns_portal.actor import Actor
from returns_portal.errors import ConflictError, ForbiddenError, NotFoundError
from returns_portal.refunds.approvals import approve, decline, waiting
from returns_portal.refunds.goodwill import Gesture, Given, give
from returns_portal.refunds.models import GoodwillDecision
from returns_portal.shop.queries import DEFAULT
from returns_portal.warehouse.models import Condition
from tests.portal import FINANCE, Portal, at_once
from tests.refunds.test_goodwill import paid_by_gateway

pytestmark = pytest.mark.anyio

SUPPORT = Actor(kind="staff", id="ana", grants=frozenset({"support"}))
BOSS = Actor(kind="staff", id="boris", grants=frozenset({"admin"}))
LIMIT = DEFAULT.goodwill_limit


async def asked(portal: Portal, amount: int, actor: Actor = SUPPORT, **shop: object) -> Given:
    async with portal.begin() as db:
        wish = Gesture(order_number="1001", amount=amount, reason="The heel broke on the first day.")
        return await give(db, actor, portal.settings, msgspec.structs.replace(DEFAULT, **shop), wish)


async def approved(portal: Portal, gesture_id: UUID, actor: Actor = FINANCE) -> Given:
    async with portal.begin() as db:
        return await approve(db, actor, portal.settings, gesture_id)


async def test_up_to_the_limit_one_person_is_enough(portal: Portal) -> None:
    await portal.order()
    assert (await asked(portal, LIMIT)).decision is GoodwillDecision.NOT_NEEDED


async def test_above_it_a_second_person_approves(portal: Portal) -> None:
    await portal.order()
    await portal.work()
    given = await asked(portal, LIMIT + 1)
    assert (given.decision, given.refund_ids) == (GoodwillDecision.WAITING, [])
    await portal.work()
    assert await portal.rows("SELECT id FROM refund") == []
    assert await portal.mails() == []
    async with portal.begin() as db:
        [view] = await waiting(db, FINANCE)
    assert (view.amount, view.requested_by_label, view.order_number) == (LIMIT + 1, "staff:ana", "1001")
    done = await approved(portal, given.id)
    assert (done.decision, len(done.refund_ids)) == (GoodwillDecision.APPROVED, 1)
    await portal.work()
    assert await paid_by_gateway(portal) == LIMIT + 1
    assert await portal.mails() == ["goodwill", "refunded"]
    [row] = await portal.rows("SELECT requested_by, decided_by, decided_at FROM goodwill")
    assert (row.requested_by, row.decided_by) == ("staff:ana", "staff:mira")
    assert row.decided_at is not None


async def test_many_small_gestures_are_one_large_one(portal: Portal) -> None:
    await portal.order()
    assert (await asked(portal, LIMIT - 1)).decision is GoodwillDecision.NOT_NEEDED
    assert (await asked(portal, 1)).decision is GoodwillDecision.NOT_NEEDED
    assert (await asked(portal, 1)).decision is GoodwillDecision.WAITING


async def test_a_shop_of_one_person_switches_it_off(portal: Portal) -> None:
    await portal.order()
    assert (await asked(portal, LIMIT + 1, second_person=False)).decision is GoodwillDecision.NOT_NEEDED


async def test_nobody_approves_their_own_whatever_they_may_do(portal: Portal) -> None:
    await portal.order()
    given = await asked(portal, LIMIT + 1, BOSS)
    for decide in (approved(portal, given.id, BOSS), declined(portal, given.id, BOSS)):
        with pytest.raises(ForbiddenError) as refused:
            await decide
        assert refused.value.code == "own_request"
    with pytest.raises(ForbiddenError):
        await approved(portal, given.id, SUPPORT)
    with pytest.raises(NotFoundError):
        await approved(portal, UUID(int=5))
    assert (await approved(portal, given.id)).decision is GoodwillDecision.APPROVED


async def declined(portal: Portal, gesture_id: UUID, actor: Actor = FINANCE) -> Given:
    async with portal.begin() as db:
        return await decline(db, actor, gesture_id, "They had a new pair already.")


async def test_what_is_declined_is_not_refunded_and_cannot_be_approved_after_all(portal: Portal) -> None:
    await portal.order()
    given = await asked(portal, LIMIT + 1)
    assert (await declined(portal, given.id)).decision is GoodwillDecision.DECLINED
    with pytest.raises(ConflictError) as refused:
        await approved(portal, given.id)
    assert refused.value.code == "already_decided"
    assert await portal.rows("SELECT id FROM refund") == []
    [row] = await portal.rows("SELECT decision_note FROM goodwill")
    assert row.decision_note == "They had a new pair already."


async def test_fifty_approvals_at_once_are_one_refund(portal: Portal) -> None:
    await portal.order()
    await portal.work()
    given = await asked(portal, LIMIT + 1)
    answers = await at_once(
        *(approved(portal, given.id) for _ in range(49)),
        declined(portal, given.id, BOSS),
    )
    won = [answer for answer in answers if isinstance(answer, Given)]
    assert len(won) == 1
    assert {error.code for error in answers if isinstance(error, ConflictError)} == {"already_decided"}
    await portal.work()
    refunds = await portal.rows("SELECT id FROM refund")
    assert len(refunds) == (won[0].decision is GoodwillDecision.APPROVED)
    assert await paid_by_gateway(portal) == (LIMIT + 1) * len(refunds)


async def test_what_is_no_longer_left_is_not_approved(portal: Portal) -> None:
    order, [line] = await portal.order()
    await portal.work()
    given = await asked(portal, order.total)
    filed = await portal.file(order.number, (line, 1))
    await portal.receive(filed.rma, (line, 1, Condition.RESELLABLE))
    with pytest.raises(ConflictError) as refused:
        await approved(portal, given.id)
    assert refused.value.code == "nothing_left"
    async with portal.begin() as db:
        assert [view.id for view in await waiting(db, FINANCE)] == [given.id]
    await declined(portal, given.id)
    async with portal.begin() as db:
        assert await waiting(db, FINANCE) == []
