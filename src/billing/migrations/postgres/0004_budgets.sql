-- SPDX-License-Identifier: Apache-2.0
--
-- What was charged in a month, kept as a sum, since every submission of a job may ask; budgets for it, and which of
-- their alerts were given.

CREATE TABLE billing_spend (
    tenant_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,                      -- empty: the project, with all its keys
    month bigint NOT NULL,                       -- when it began
    spent_microusd bigint NOT NULL,
    PRIMARY KEY (tenant_id, key_id, month)
);

INSERT INTO billing_spend (tenant_id, key_id, month, spent_microusd)
SELECT tenant_id, '', (extract(epoch FROM date_trunc('month', to_timestamp(at / 1e6) AT TIME ZONE 'UTC')) * 1000000)::bigint, sum(cost_microusd)::bigint FROM usage_record GROUP BY 1, 2, 3;

INSERT INTO billing_spend (tenant_id, key_id, month, spent_microusd)
SELECT tenant_id, key_id, (extract(epoch FROM date_trunc('month', to_timestamp(at / 1e6) AT TIME ZONE 'UTC')) * 1000000)::bigint, sum(cost_microusd)::bigint FROM usage_record WHERE key_id <> '' GROUP BY 1, 2, 3;

CREATE TABLE billing_budget (
    tenant_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,                      -- empty: the project's
    amount_microusd bigint NOT NULL CHECK (amount_microusd > 0),
    alert_percents text COLLATE "C" NOT NULL,              -- JSON array
    hard_stop bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, key_id)
);

CREATE TABLE billing_budget_alert (
    tenant_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    month bigint NOT NULL,
    percent bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (tenant_id, key_id, month, percent)
);
