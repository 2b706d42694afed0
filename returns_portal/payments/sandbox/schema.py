"""The tables of the sandbox's schema. Every statement can run again, so that an older store is brought up to date."""

from typing import LiteralString

LOCK = 0x5354_5249_5045
"""Processes that start at once take turns under this advisory lock."""

# A page of a list is a range of one of these indexes; newest first means by creation, then by the identity
# column. Rows are kept whole up to a page's size: compressing documents of 3 kB cost more than all the rest.
# The named constraint is the one promise that no bug of the handlers may break.
TABLES: LiteralString = """
CREATE TABLE IF NOT EXISTS resource (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    id text PRIMARY KEY,
    object text NOT NULL,
    created bigint NOT NULL,
    payment_intent text,
    charge text,
    due double precision,
    body json NOT NULL,
    CONSTRAINT refunded_at_most_captured CHECK (
        object <> 'charge'
        OR (body ->> 'amount_refunded')::bigint BETWEEN 0 AND (body ->> 'amount_captured')::bigint
    )
) WITH (fillfactor = 80, toast_tuple_target = 8160);
ALTER TABLE resource ADD COLUMN IF NOT EXISTS customer text;
ALTER TABLE resource ADD COLUMN IF NOT EXISTS payout text;
ALTER TABLE resource ADD COLUMN IF NOT EXISTS mark text;
CREATE INDEX IF NOT EXISTS resource_newest ON resource (object, created, seq);
CREATE INDEX IF NOT EXISTS resource_intent ON resource (payment_intent, object, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_charge ON resource (charge, object, seq) WHERE charge IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_customer ON resource (customer, object, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_payout ON resource (payout, created, seq) WHERE payout IS NOT NULL;
CREATE INDEX IF NOT EXISTS resource_due ON resource (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency (
    key text PRIMARY KEY,
    endpoint text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    body text NOT NULL,
    request_id text NOT NULL,
    created timestamptz NOT NULL DEFAULT now()
) WITH (toast_tuple_target = 8160);
CREATE INDEX IF NOT EXISTS idempotency_created ON idempotency (created);
CREATE TABLE IF NOT EXISTS delivery (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    event text NOT NULL,
    endpoint text NOT NULL,
    due double precision NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    copies smallint NOT NULL DEFAULT 1,
    attempts smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (event, endpoint)
);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due, seq);
CREATE TABLE IF NOT EXISTS setting (
    name text PRIMARY KEY,
    value double precision NOT NULL
);
"""
