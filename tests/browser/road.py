"""Parcels with carriers, for the stage: each label as far as its carrier has brought it."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from returns_portal import clock
from returns_portal.actor import SYSTEM
from returns_portal.carriers.gateway import Scan, ScanCode, Track
from returns_portal.labels import pickups
from returns_portal.labels.models import PickupStatus
from returns_portal.labels.policy import save_rule
from returns_portal.labels.rules import Rule
from returns_portal.labels.tracking import record, stuck
from returns_portal.labels.voiding import void
from tests.portal import Portal

S = ScanCode
_WAYS: Final[dict[str, tuple[ScanCode, ...]]] = {
    "label ready": (S.CREATED,),
    "parcel under way": (S.CREATED, S.PICKED_UP, S.IN_TRANSIT),
    "parcel stuck": (S.CREATED, S.PICKED_UP, S.FAILED),
    "parcel brought": (S.CREATED, S.PICKED_UP, S.OUT_FOR_DELIVERY, S.DELIVERED),
    "parcel lost": (S.CREATED, S.PICKED_UP, S.LOST),
    "label given back": (S.CREATED,),
    "pick-up planned": (S.CREATED,),
}
NAMES: Final = tuple(_WAYS)

# As buying leaves it.
_BOUGHT = """
    UPDATE label b SET carrier = 'easypost', service = 'USPS/GroundAdvantage', status = 'sent', cost = 545,
        cost_currency = 'USD', shipment_ref = 'shp_' || r.rma, tracking = '9405500208' || o.number,
        code = '9405500208' || o.number, asked_at = now()
    FROM returns r JOIN orders o ON o.id = r.order_id WHERE r.id = b.return_id AND r.rma = :rma RETURNING b.id
"""
_HOME: Final = {
    "line1": "ul. Vitosha 89",
    "city": "Sofia",
    "postal_code": "1463",
    "country": "BG",
    "phone": "+359881234567",
}


async def travel(portal: Portal, name: str, rma: str) -> None:
    """Let the label of a return be a carrier's, and its parcel have come so far."""
    async with portal.begin() as db:
        [label] = (await db.execute(text(_BOUGHT), {"rma": rma})).all()
        now, way = clock.now(), _WAYS[name]
        scans = [
            Scan(f"{rma}:{place}", code, f"{code.value} in Houston", now - timedelta(days=len(way) - place), "Houston")
            for place, code in enumerate(way)
        ]
        await record(db, label.id, Track(scans=scans, expected=(now + timedelta(days=2)).date()))
        if name == "parcel stuck":
            await stuck(db, label.id)
        if name == "label given back":
            await void(db, SYSTEM, label.id)
        if name == "pick-up planned":
            window = pickups.windows(now, "Europe/Sofia")[0]
            pickup_id = await pickups.request(db, SYSTEM, rma, window.begins, _HOME)
            await pickups.move_to(db, SYSTEM, pickup_id, PickupStatus.SCHEDULED, courier_name="Oleksandr")


async def rules(portal: Portal) -> None:
    """Rules of which none is on, so that the other returns of the stage have the prepaid label at once."""
    limits: dict[str, Any] = {"max_weight_grams": 5000, "min_value": 1000, "max_value": 50000, "currency": "EUR"}
    free: dict[str, Any] = {"max_weight_grams": None, "min_value": 0, "max_value": None, "currency": ""}
    async with portal.begin() as db:
        nova_poshta = Rule(UUID(int=0), 0, "nova_poshta", "", ["UA"], enabled=False, **free)
        easypost = Rule(UUID(int=0), 0, "easypost", "USPS", ["US", "CA"], enabled=False, **limits)
        for rule in (nova_poshta, easypost):
            await save_rule(db, SYSTEM, rule)
