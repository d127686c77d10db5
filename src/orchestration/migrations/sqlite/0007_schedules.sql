-- SPDX-License-Identifier: Apache-2.0
--
-- Workflows that start by themselves.

CREATE TABLE schedule (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    name TEXT,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    definition TEXT NOT NULL,                 -- JSON of the workflow
    missed TEXT NOT NULL CHECK (missed IN ('once', 'all', 'skip')),
    overlap TEXT NOT NULL CHECK (overlap IN ('allow', 'skip')),
    paused INTEGER NOT NULL,
    next_at INTEGER,                          -- NULL while paused
    runs INTEGER NOT NULL DEFAULT 0,
    last_at INTEGER,                          -- the time that the last run was for
    last_workflow_id TEXT,
    last_note TEXT NOT NULL DEFAULT '',       -- why it made no workflow, or left times out
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    idempotency_key TEXT,
    UNIQUE (tenant_id, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX schedule_of_tenant ON schedule (tenant_id, id);
CREATE INDEX schedule_due ON schedule (next_at) WHERE next_at IS NOT NULL;
