"""Customers: as much of them as keeping their cards needs."""

from returns_portal.payments.sandbox import clock, methods
from returns_portal.payments.sandbox.errors import missing
from returns_portal.payments.sandbox.ids import new_id
from returns_portal.payments.sandbox.objects import Document, merged
from returns_portal.payments.sandbox.params import CustomerCreate, CustomerUpdate, MethodAttach
from returns_portal.payments.sandbox.unit import Unit

_FIELDS = ("address", "description", "email", "name", "phone", "shipping")


async def create(unit: Unit, params: CustomerCreate) -> Document:
    """Create a customer, with a card where one is given."""
    customer = _customer() | {name: getattr(params, name) for name in _FIELDS} | {"metadata": params.metadata}
    unit.put(customer)
    unit.tell("customer.created", customer)
    if params.payment_method is not None:
        await methods.attach(unit, MethodAttach(customer=customer["id"]), params.payment_method)
    return customer


async def update(unit: Unit, params: CustomerUpdate, customer_id: str) -> Document:
    """Change what is given; an empty value removes it."""
    customer = await unit.lock("customer", customer_id)
    if customer is None:
        raise missing("customer", customer_id, "customer")
    given = {name: getattr(params, name) for name in _FIELDS if getattr(params, name) is not None}
    previous = {name: customer[name] for name in given}
    customer |= {name: value or None for name, value in given.items()}
    customer["metadata"] = merged(customer["metadata"], params.metadata)
    unit.put(customer)
    unit.tell("customer.updated", customer, previous=previous)
    return customer


def _customer() -> Document:
    id_ = new_id("customer")
    return {
        "id": id_,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": clock.now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": id_[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
