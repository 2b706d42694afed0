"""What each template is given, as its callers give it."""

from returns_portal.notifications.actions import Template

RMA = "R-7K3M-9QXD"
URL = f"https://returns.shop.example/returns/{RMA}"
SHOE = {"title": "Trail Runner GTX", "size": "42", "color": "Navy", "quantity": 2}
HAT = {"title": "Wool Beanie <b>&", "size": "", "color": "", "quantity": 1}

TRIAL = {
    "number": "T-7K3M-9QXD",
    "name": "Олена",
    "mode": "trial",
    "currency": "EUR",
    "max_charge": 27779,
    "deposit": 0,
    "points": 0,
    "charged": 12990,
    "items": [
        {
            "title": "Trail Runner GTX",
            "size": size,
            "color": "Navy",
            "price": 12990,
            "decision": what,
            "outcome": became,
        }
        for size, what, became in (("41", "undecided", "returned"), ("42", "keep", "kept"))
    ]
    + [
        {
            "title": "Wool Beanie <b>&",
            "size": "",
            "color": "",
            "price": 1799,
            "decision": "return",
            "outcome": "returned",
        }
    ],
    "ends_at": "2026-11-29T22:00:00Z",
    "trial_days": 7,
    "silence_keeps": True,
    "card_last4": "4242",
    "rma": RMA,
    "url": URL,
}

EXCHANGE: dict[str, object] = {
    "rma": RMA,
    "order_number": "1042",
    "number": "E-7K3M-9QXD",
    "name": "Олена",
    "currency": "EUR",
    "exchanges": [
        {
            "number": "E-7K3M-9QXD",
            **{name: SHOE[name] for name in ("title", "size", "color")},
            "instead": HAT,
            "to_pay": 4000,
            "back": 0,
        }
    ],
    "to_pay": 4000,
    "carrier": "Econt",
    "tracking": "1051602736482",
    "why": "sold_out",
    "held": 19900,
    "return_by": "2026-11-20T12:00:00+00:00",
    "outcome": "never_came",
    "due": 19900,
    "paid": 4000,
    "url": URL,
}

PARCEL: dict[str, object] = {"rma": RMA, "order_number": "1042", "name": "Олена", "url": URL, "tracking": "9405500208"}

CLAIM: dict[str, object] = {
    "order_number": "1042",
    "kind": "damaged",
    "lines": [SHOE, HAT],
    "url": URL,
}

WANTED: dict[str, object] = {"topic": "Chelsea <Boot>, Size 43", "url": URL}
QUESTION: dict[str, object] = {"number": "Q-7K3M-9QXD", "topic": "A <boot>?", "references": [], "url": URL}
SAMPLES: dict[Template, dict[str, object]] = {
    "claim_received": CLAIM,
    "gift_filed": {
        "rma": RMA,
        "name": "Олена",
        "label_ready": True,
        "qr": RMA,
        "lines": [SHOE, HAT],
        "exchanges": [HAT],
        "url": URL,
    },
    "claim_decided": {**CLAIM, "decision": "refusal", "answer": "Worn for a year <b>&"},
    "replacement_ended": {**CLAIM, "carrier": "", "tracking": "", "why": "missing"},
    "replacement_sent": {**CLAIM, "carrier": "Econt <b>", "tracking": "1051602736482", "why": ""},
    "exchange_charged": EXCHANGE,
    "exchange_ended": EXCHANGE,
    "exchange_hold_lost": EXCHANGE,
    "exchange_released": EXCHANGE,
    "exchange_reminder": EXCHANGE,
    "exchange_unpaid": EXCHANGE,
    "exchange_sent": EXCHANGE,
    "exchange_to_pay": EXCHANGE,
    "label_ready": {**PARCEL, "drop_off": "204501", "own": True, "qr": "204501", "number": 2},
    "parcel_on_its_way": {**PARCEL, "expected": "2026-11-20"},
    "parcel_delivered": PARCEL,
    "parcel_stuck": {**PARCEL, "returned": False},
    "parcel_lost": PARCEL,
    "deadlines_due": {
        "overdue": 1,
        "soon": 1,
        "rows": [
            {"rma": RMA, "order_number": "1042", "due_at": "2026-11-20T12:00:00Z", "overdue": True},
            {"rma": "", "order_number": "<1043>", "due_at": "2026-11-24T12:00:00Z", "overdue": False},
        ],
        "more": 3,
        "url": URL,
    },
    "privacy_confirm": {"kind": "erasure", "url": URL, "minutes": 60},
    "privacy_ready": {"url": URL, "days": 7},
    "pickup": {
        "rma": RMA,
        "name": "Олена",
        "url": URL,
        "refused": False,
        "soon": False,
        "courier": "Oleksandr",
        "on_day": "Monday, 23 November",
        "begins": "09:00",
        "ends": "13:00",
        "address": "бул. Витоша 89, 1463 София",
    },
    "access_code": {"code": "482913", "minutes": 10},
    "return_filed": {
        "rma": RMA,
        "order_number": "1042",
        "name": "Олена",
        "lines": [SHOE, HAT],
        "refund_to": "original",
        "label_ready": True,
        "qr": RMA,
        "preview": [
            {"destination": "original", "amount": 11691, "bonus": 0, "currency": "EUR"},
            {"destination": "points", "amount": 500, "bonus": 50, "currency": "EUR"},
        ],
        "total": 12191,
        "postage": "customer",
        "fee": 490,
        "kept": False,
        "currency": "EUR",
        "url": URL,
    },
    "checked_in": {
        "rma": RMA,
        "lines": [{**SHOE, "condition": "resellable"}, {**HAT, "condition": "damaged"}],
        "refunds": [{"destination": "original", "amount": 11691, "bonus": 0, "currency": "EUR"}],
        "findings": [
            {**SHOE, "kind": "fewer", "quantity": 1},
            {"kind": "foreign", "quantity": 1, "title": "A scarf <b>&", "size": "", "color": ""},
        ],
        "parcel": 1,
        "shares_box": True,
        "waiting": True,
        "url": URL,
    },
    "refunded": {
        "rma": RMA,
        "order_number": "1042",
        "destination": "points",
        "amount": 11691,
        "bonus": 1169,
        "currency": "EUR",
        "card_last4": "",
        "balance": 15000,
        "url": URL,
    },
    "refund_failed": {
        "rma": RMA,
        "order_number": "1042",
        "amount": 11691,
        "currency": "EUR",
        "failure": "expired_or_canceled_card",
        "card_last4": "4242",
        "bonus_percent": 10,
        "url": URL,
    },
    "goodwill": {
        "order_number": "1042",
        "reason": "The parcel came a week late <b>&",
        "shipping": True,
        "refunds": [{"destination": "original", "amount": 490, "bonus": 0, "currency": "EUR"}],
        "url": URL,
    },
    "return_cancelled": {"rma": RMA, "order_number": "1042", "url": URL},
    "parcel_regrouped": {
        "rma": RMA,
        "order_number": "1042",
        "name": "Олена",
        "cancelled": "R-1111-1111",
        "fellows": ["R-2222-2222"],
        "own": False,
        "url": URL,
    },
    "return_changed": {
        "rma": RMA,
        "order_number": "1042",
        "name": "Олена",
        "lines": [SHOE, HAT],
        "preview": [{"destination": "points", "amount": 11691, "bonus": 1169, "currency": "EUR"}],
        "total": 11691,
        "currency": "EUR",
        "url": URL,
    },
    "withdrawal_received": {
        "name": "Олена Шевченко",
        "order_number": "1042",
        "submitted_at": "2026-11-22T01:40:05+00:00",
        "content": {
            "name": "Олена Шевченко",
            "order_number": "1042",
            "email": "olena@example.org",
            "details": "Both pairs, bought on 3 November <yes> & fully.",
        },
        "rma": RMA,
        "lines": [SHOE, HAT],
        "preview": [{"destination": "original", "amount": 11691, "bonus": 0, "currency": "EUR"}],
        "total": 11691,
        "currency": "EUR",
        "url": URL,
    },
    "points_expiring": {"points": 1200, "currency": "EUR", "last_day": "2026-12-31", "url": URL},
    "your_orders": {
        "minutes": 10,
        "orders": [
            {"number": "1042", "placed_at": "2026-11-02T09:30:00+00:00", "link": f"{URL}/in/one"},
            {"number": "A & B <2>", "placed_at": "2026-10-31T23:30:00+00:00", "link": f"{URL}/in/two"},
        ],
    },
    "request_kept": {**WANTED, "days": 180},
    "request_answered": {
        **WANTED,
        "lead": "We do not have it, and found it elsewhere for you.",
        "words": "They had <two> & sent them\n\nOlga",
        "shops": [
            {"shop": "Kestrel & Sons", "what": "Size 43", "price": "€179.90", "seen": "", "href": f"{URL}/elsewhere/x"},
            {"shop": "B", "what": "", "price": "€9.90", "seen": "seen on 3 May 2026", "href": f"{URL}/elsewhere/y"},
        ],
    },
    "back_in_stock": WANTED,
    "question_received": {**QUESTION, "quoted": "Is it <waterproof>?\n\nOlena", "opens_at": "Monday", "usual": ""},
    "question_answered": {**QUESTION, "answer": "It is <b>not</b>.\n\nOlga", "rating": QUESTION["url"]},
    "question_delayed": {**QUESTION, "until": "Monday, 23 November, 18:00", "words": "We ask the maker & tell you."},
    "transfer_needed": {"rma": RMA, "order_number": "1042", "amount": 11691, "currency": "EUR", "url": URL},
    "decision_made": {
        "rma": RMA,
        "decision": "part",
        "reason": "The soles show wear from outdoors.",
        **SHOE,
        "amount": 8000,
        "currency": "EUR",
        "url": URL,
    },
    "trial_action_needed": {**TRIAL, "amount": 12990, "reason": "authentication_required"},
    "trial_authorisation_failed": {**TRIAL, "reason": "insufficient_funds"},
    "trial_authorised": {**TRIAL, "deposit": 2500},
    "trial_cancelled": {**TRIAL, "why": ""},
    "trial_delivered": TRIAL,
    "trial_extended": TRIAL,
    "trial_hold_expired": {**TRIAL, "until": None},
    "trial_overdue": TRIAL,
    "trial_problem": {**TRIAL, "item": HAT, "problem": "damaged"},
    "trial_reminder": {**TRIAL, "last": False, "undecided": 1},
    "trial_settled": {**TRIAL, "kept": 1, "charged_now": 12990, "returned": 2},
    "trial_shipped": {**TRIAL, "carrier": "Econt", "tracking": "1051602736482"},
}
