-- SPDX-License-Identifier: Apache-2.0
--
-- Workflows that start by themselves.

CREATE TABLE schedule (
    id text COLLATE "C" PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenant (id),
    user_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    cron text COLLATE "C" NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    definition text COLLATE "C" NOT NULL,     -- JSON of the workflow
    missed text COLLATE "C" NOT NULL CHECK (missed IN ('once', 'all', 'skip')),
    overlap text COLLATE "C" NOT NULL CHECK (overlap IN ('allow', 'skip')),
    paused boolean NOT NULL,
    next_at bigint,                           -- NULL while paused
    runs bigint NOT NULL DEFAULT 0,
    last_at bigint,                           -- the time that the last run was for
    last_workflow_id text COLLATE "C",
    last_note text COLLATE "C" NOT NULL DEFAULT '',  -- why it made no workflow, or left times out
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    idempotency_key text COLLATE "C",
    UNIQUE (tenant_id, idempotency_key)
);

CREATE INDEX schedule_of_tenant ON schedule (tenant_id, id);
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;
