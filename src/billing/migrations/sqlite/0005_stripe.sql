-- SPDX-License-Identifier: Apache-2.0
--
-- What Stripe is to be told, in the transaction that it tells about; what it is known by there; what it told us.

CREATE TABLE stripe_option (
    name TEXT PRIMARY KEY,                     -- invoices, usage: what is to be told
    since INTEGER NOT NULL
) STRICT;

CREATE TABLE stripe_task (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('invoice', 'usage')),
    subject TEXT NOT NULL,                     -- an invoice, or a job
    tenant_id TEXT NOT NULL,
    amount_microusd INTEGER NOT NULL,
    at INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,              -- steps that are known to have been taken
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,                              -- when to try again; NULL: all is told
    error TEXT NOT NULL DEFAULT '',
    UNIQUE (kind, subject)
) STRICT;

CREATE INDEX stripe_task_due ON stripe_task (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE stripe_customer (
    tenant_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE stripe_invoice (
    invoice_id TEXT PRIMARY KEY REFERENCES billing_invoice (id),
    stripe_id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL DEFAULT ''
) STRICT;

-- Each event once, however often and in whatever order they come.
CREATE TABLE stripe_event (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    invoice_id TEXT NOT NULL,                  -- ours; empty if it is about none
    taken_at INTEGER NOT NULL
) STRICT;
