-- SPDX-License-Identifier: Apache-2.0
--
-- What was used, in whole units of the meter (billing/meters.h), and what it cost under the card of that moment,
-- in micro-dollars. One row per job and meter: a replay changes nothing.

CREATE TABLE usage_record (
    job_id TEXT NOT NULL,
    meter TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity >= 0),
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    job_type TEXT NOT NULL,
    rate_card TEXT NOT NULL,
    cost_microusd INTEGER NOT NULL CHECK (cost_microusd >= 0),
    at INTEGER NOT NULL,
    PRIMARY KEY (job_id, meter)
) STRICT, WITHOUT ROWID;

CREATE INDEX usage_of_tenant ON usage_record (tenant_id, at);
