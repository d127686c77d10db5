-- SPDX-License-Identifier: Apache-2.0
--
-- Workflows: steps that become jobs when those before them have ended. What a job did is read from its own rows; here
-- is what is known of it only here.

CREATE TABLE workflow (
    id text COLLATE "C" PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenant (id),
    user_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    name text COLLATE "C",
    template text COLLATE "C",
    schedule_id text COLLATE "C",            -- what made it, if no user did
    definition text COLLATE "C" NOT NULL,    -- JSON
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
    cancel_requested boolean NOT NULL DEFAULT false,
    run bigint NOT NULL DEFAULT 1,           -- rises with every rerun
    revision bigint NOT NULL DEFAULT 0,      -- rises with every look: who raised it has the row to itself
    idempotency_key text COLLATE "C",
    request_sha256 text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    finished_at bigint,
    UNIQUE (tenant_id, idempotency_key)
);

CREATE INDEX workflow_of_tenant ON workflow (tenant_id, id);
CREATE INDEX workflow_of_schedule ON workflow (schedule_id, state) WHERE schedule_id IS NOT NULL;

CREATE TABLE workflow_step (
    workflow_id text COLLATE "C" NOT NULL REFERENCES workflow (id),
    step bigint NOT NULL,                    -- place in the definition
    state text COLLATE "C" NOT NULL CHECK (
        state IN ('blocked', 'running', 'completed', 'failed', 'skipped', 'cancelled')
    ),
    reason text COLLATE "C" NOT NULL,
    PRIMARY KEY (workflow_id, step)
);

-- One job of a step: one combination of its matrix, or the only one.
CREATE TABLE workflow_branch (
    workflow_id text COLLATE "C" NOT NULL REFERENCES workflow (id),
    step bigint NOT NULL,
    branch bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'completed', 'failed', 'cancelled')),
    matrix text COLLATE "C" NOT NULL,        -- JSON: the values it runs with, or null
    job_id text COLLATE "C" REFERENCES job (id),  -- the newest
    tries bigint NOT NULL,
    has_news boolean NOT NULL DEFAULT false,  -- its job has ended, and the workflow has not been told
    PRIMARY KEY (workflow_id, step, branch)
);

CREATE INDEX workflow_branch_of_job ON workflow_branch (job_id) WHERE job_id IS NOT NULL;
CREATE INDEX workflow_branch_news ON workflow_branch (workflow_id) WHERE has_news;
