-- SPDX-License-Identifier: Apache-2.0
--
-- Deployments, and the state of a job whose work is done but which a gateway has still to take up. The states of a
-- job are a closed list in a constraint, so its table is made anew with the same rows.

CREATE TABLE job_with_activation (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    job_type TEXT NOT NULL,
    pool TEXT NOT NULL,
    state TEXT NOT NULL CHECK (
        state IN ('blocked', 'scheduled', 'ready', 'leased', 'activating', 'done', 'dead', 'cancelled')
    ),
    priority INTEGER NOT NULL,
    -- Order among the ready jobs of a tenant: run_at plus ten minutes per priority step, so that waiting ages a job.
    rank INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    gpus INTEGER NOT NULL DEFAULT 0,          -- what a worker must offer
    memory_bytes INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,       -- leases granted
    failures INTEGER NOT NULL DEFAULT 0,      -- attempts that ended in an error of the job
    max_failures INTEGER NOT NULL CHECK (max_failures >= 1),
    losses INTEGER NOT NULL DEFAULT 0,        -- attempts that ended with the worker gone
    max_losses INTEGER NOT NULL DEFAULT 10 CHECK (max_losses >= 1),
    fence INTEGER NOT NULL DEFAULT 0,         -- rises with every grant; a stale one changes nothing
    lease_worker TEXT,
    lease_until INTEGER,
    activate_until INTEGER,                   -- when a gateway has to serve what the job deployed
    started_at INTEGER,                       -- first event of the current attempt's engine
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CHECK ((state = 'leased') = (lease_worker IS NOT NULL)),
    CHECK ((state = 'activating') = (activate_until IS NOT NULL))
) STRICT;

INSERT INTO job_with_activation (
    id, tenant_id, job_type, pool, state, priority, rank, run_at, gpus, memory_bytes, attempt, failures, max_failures,
    losses, max_losses, fence, lease_worker, lease_until, started_at, cancel_requested, created_at, updated_at
)
SELECT
    id, tenant_id, job_type, pool, state, priority, rank, run_at, gpus, memory_bytes, attempt, failures, max_failures,
    losses, max_losses, fence, lease_worker, lease_until, started_at, cancel_requested, created_at, updated_at
FROM job;

DROP TABLE job;
ALTER TABLE job_with_activation RENAME TO job;

CREATE INDEX job_ready ON job (pool, tenant_id, rank, id) WHERE state = 'ready';
CREATE INDEX job_scheduled ON job (run_at) WHERE state = 'scheduled';
CREATE INDEX job_lease_until ON job (lease_until) WHERE state = 'leased';
CREATE INDEX job_leased ON job (tenant_id) WHERE state = 'leased';
CREATE INDEX job_of_worker ON job (lease_worker) WHERE state = 'leased';
CREATE INDEX job_activate_until ON job (activate_until) WHERE state = 'activating';
CREATE INDEX job_of_tenant ON job (tenant_id, id);

CREATE TABLE deployment (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,   -- order of arrival
    id TEXT NOT NULL UNIQUE REFERENCES artifact (id),
    tenant_id TEXT NOT NULL,
    job_id TEXT NOT NULL UNIQUE REFERENCES job (id),
    name TEXT NOT NULL,                       -- what clients ask for
    region TEXT NOT NULL,                     -- which gateways serve it
    state TEXT NOT NULL CHECK (state IN ('loading', 'ready', 'failed', 'stopped')),
    message TEXT NOT NULL DEFAULT '',         -- why it failed
    inference_url TEXT NOT NULL DEFAULT '',   -- of the gateway that was ready first
    result TEXT NOT NULL,                     -- JSON: what the engine handed in, without the address
    usage TEXT NOT NULL,                      -- JSON: charged when the job completes
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Of the deployments that gateways are told of, one has a name.
CREATE UNIQUE INDEX deployment_live ON deployment (tenant_id, region, name) WHERE state IN ('loading', 'ready');
CREATE INDEX deployment_of_region ON deployment (region, sequence) WHERE state IN ('loading', 'ready');
CREATE INDEX deployment_of_tenant ON deployment (tenant_id, sequence);

CREATE TABLE deployment_serial (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    serial INTEGER NOT NULL                   -- rises when what gateways are told of changes
) STRICT;

INSERT INTO deployment_serial (only_row, serial) VALUES (1, 0);

CREATE TABLE gateway (
    id TEXT PRIMARY KEY,
    region TEXT NOT NULL,
    url TEXT NOT NULL,                        -- where clients reach it
    serial INTEGER NOT NULL,                  -- of the snapshot it serves by
    last_seen_at INTEGER NOT NULL
) STRICT;

CREATE INDEX gateway_of_region ON gateway (region, last_seen_at);

-- How a deployment stands on a gateway, by the gateway's newest report.
CREATE TABLE gateway_deployment (
    deployment_id TEXT NOT NULL REFERENCES deployment (id),
    gateway_id TEXT NOT NULL REFERENCES gateway (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('loading', 'ready', 'failed')),
    message TEXT NOT NULL,
    PRIMARY KEY (deployment_id, gateway_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX gateway_deployment_of_gateway ON gateway_deployment (gateway_id);
