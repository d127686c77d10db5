-- SPDX-License-Identifier: Apache-2.0
--
-- What was used, in whole units of the meter (billing/meters.h), and what it cost under the card of that moment,
-- in micro-dollars. One row per job and meter: a replay changes nothing.

CREATE TABLE usage_record (
    job_id text COLLATE "C" NOT NULL,
    meter text COLLATE "C" NOT NULL,
    quantity bigint NOT NULL CHECK (quantity >= 0),
    tenant_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    job_type text COLLATE "C" NOT NULL,
    rate_card text COLLATE "C" NOT NULL,
    cost_microusd bigint NOT NULL CHECK (cost_microusd >= 0),
    at bigint NOT NULL,
    PRIMARY KEY (job_id, meter)
);

CREATE INDEX usage_of_tenant ON usage_record (tenant_id, at);
