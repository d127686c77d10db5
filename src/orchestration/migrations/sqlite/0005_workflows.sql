-- SPDX-License-Identifier: Apache-2.0
--
-- Workflows: steps that become jobs when those before them have ended. What a job did is read from its own rows; here
-- is what is known of it only here.

CREATE TABLE workflow (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    name TEXT,
    template TEXT,
    schedule_id TEXT,                         -- what made it, if no user did
    definition TEXT NOT NULL,                 -- JSON
    state TEXT NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    run INTEGER NOT NULL DEFAULT 1,           -- rises with every rerun
    revision INTEGER NOT NULL DEFAULT 0,      -- rises with every look: who raised it has the row to itself
    idempotency_key TEXT,
    request_sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    finished_at INTEGER,
    UNIQUE (tenant_id, idempotency_key)
) STRICT;

CREATE INDEX workflow_of_tenant ON workflow (tenant_id, id);
CREATE INDEX workflow_of_schedule ON workflow (schedule_id, state) WHERE schedule_id IS NOT NULL;

CREATE TABLE workflow_step (
    workflow_id TEXT NOT NULL REFERENCES workflow (id),
    step INTEGER NOT NULL,                    -- place in the definition
    state TEXT NOT NULL CHECK (state IN ('blocked', 'running', 'completed', 'failed', 'skipped', 'cancelled')),
    reason TEXT NOT NULL,
    PRIMARY KEY (workflow_id, step)
) STRICT, WITHOUT ROWID;

-- One job of a step: one combination of its matrix, or the only one.
CREATE TABLE workflow_branch (
    workflow_id TEXT NOT NULL REFERENCES workflow (id),
    step INTEGER NOT NULL,
    branch INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
    matrix TEXT NOT NULL,                     -- JSON: the values it runs with, or null
    job_id TEXT REFERENCES job (id),          -- the newest
    tries INTEGER NOT NULL,
    has_news INTEGER NOT NULL DEFAULT 0,      -- its job has ended, and the workflow has not been told
    PRIMARY KEY (workflow_id, step, branch)
) STRICT, WITHOUT ROWID;

CREATE INDEX workflow_branch_of_job ON workflow_branch (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX workflow_branch_news ON workflow_branch (workflow_id) WHERE has_news = 1;
