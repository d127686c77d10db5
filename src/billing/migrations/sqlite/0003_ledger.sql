-- SPDX-License-Identifier: Apache-2.0
--
-- Money. Each entry moves an amount from one account of a project to another: what is debited is credited, so all
-- accounts together are zero. Entries are added and never changed; what was wrong is set right by another entry.

CREATE TABLE billing_entry (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('charge', 'accrual', 'rounding', 'refund', 'payment', 'payout')),
    subject TEXT NOT NULL,                     -- what it is for: once in each kind, whatever is replayed
    tenant_id TEXT NOT NULL,
    debit TEXT NOT NULL CHECK (debit IN ('receivable', 'revenue', 'refunds', 'rounding', 'cash')),
    credit TEXT NOT NULL CHECK (credit IN ('receivable', 'revenue', 'refunds', 'rounding', 'cash')),
    amount_microusd INTEGER NOT NULL CHECK (amount_microusd > 0),
    job_id TEXT NOT NULL DEFAULT '',
    job_type TEXT NOT NULL DEFAULT '',
    meter TEXT NOT NULL DEFAULT '',
    rate_card TEXT NOT NULL DEFAULT '',
    quantity REAL NOT NULL DEFAULT 0,          -- in the unit that people see
    note TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,                          -- when it happened: which month it is of
    created_at INTEGER NOT NULL,
    UNIQUE (kind, subject),
    CHECK (debit <> credit)
) STRICT;

CREATE INDEX billing_entry_of_tenant ON billing_entry (tenant_id, sequence);
CREATE INDEX billing_entry_of_job ON billing_entry (job_id) WHERE job_id <> '';

-- What was charged before there was a ledger.
INSERT INTO billing_entry (
    kind, subject, tenant_id, debit, credit, amount_microusd, job_id, job_type, meter, rate_card, quantity, at, created_at
)
SELECT
    'charge', job_id || '/' || meter, tenant_id, 'receivable', 'revenue', cost_microusd, job_id, job_type, meter,
    rate_card, quantity / (CASE WHEN meter LIKE '%\_seconds' ESCAPE '\' THEN 1e6 ELSE 1.0 END), at, at
FROM usage_record
WHERE cost_microusd > 0
ORDER BY at, job_id, meter;

-- A month of a project, once. Its lines stay as they were when it was closed.
CREATE TABLE billing_invoice (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL,
    month TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'past_due', 'paid', 'refunded', 'void')),
    lines TEXT NOT NULL,                       -- JSON
    total_microusd INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    paid_at INTEGER,
    UNIQUE (tenant_id, month)
) STRICT;

-- Which invoice an entry is on: one.
CREATE TABLE billing_invoice_entry (
    entry INTEGER PRIMARY KEY REFERENCES billing_entry (sequence),
    invoice_id TEXT NOT NULL REFERENCES billing_invoice (id)
) STRICT;

CREATE INDEX billing_invoice_entry_of_invoice ON billing_invoice_entry (invoice_id);

-- One row a project, for who has to be alone with its money.
CREATE TABLE billing_account (
    tenant_id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TRIGGER billing_entry_stays BEFORE UPDATE ON billing_entry
BEGIN SELECT raise(ABORT, 'entries of the ledger are never changed'); END;

CREATE TRIGGER billing_entry_is_kept BEFORE DELETE ON billing_entry
BEGIN SELECT raise(ABORT, 'entries of the ledger are never changed'); END;
