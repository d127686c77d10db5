-- SPDX-License-Identifier: Apache-2.0
--
-- What was charged in a month, kept as a sum, since every submission of a job may ask; budgets for it, and which of
-- their alerts were given.

CREATE TABLE billing_spend (
    tenant_id TEXT NOT NULL,
    key_id TEXT NOT NULL,                      -- empty: the project, with all its keys
    month INTEGER NOT NULL,                       -- when it began
    spent_microusd INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key_id, month)
) STRICT, WITHOUT ROWID;

INSERT INTO billing_spend (tenant_id, key_id, month, spent_microusd)
SELECT tenant_id, '', CAST(strftime('%s', at / 1000000, 'unixepoch', 'start of month') AS INTEGER) * 1000000, sum(cost_microusd) FROM usage_record GROUP BY 1, 2, 3;

INSERT INTO billing_spend (tenant_id, key_id, month, spent_microusd)
SELECT tenant_id, key_id, CAST(strftime('%s', at / 1000000, 'unixepoch', 'start of month') AS INTEGER) * 1000000, sum(cost_microusd) FROM usage_record WHERE key_id <> '' GROUP BY 1, 2, 3;

CREATE TABLE billing_budget (
    tenant_id TEXT NOT NULL,
    key_id TEXT NOT NULL,                      -- empty: the project's
    amount_microusd INTEGER NOT NULL CHECK (amount_microusd > 0),
    alert_percents TEXT NOT NULL,              -- JSON array
    hard_stop INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE billing_budget_alert (
    tenant_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    month INTEGER NOT NULL,
    percent INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key_id, month, percent)
) STRICT, WITHOUT ROWID;
