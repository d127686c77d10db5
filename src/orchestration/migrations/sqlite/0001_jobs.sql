-- SPDX-License-Identifier: Apache-2.0
--
-- Jobs and who holds them. Times are integer microseconds UTC. The hot row of a job is small; what only people
-- read lies in job_detail. Later migrations add columns and tables; they rebuild none of these.

CREATE TABLE tenant (
    id TEXT PRIMARY KEY,                      -- a project
    weight REAL NOT NULL DEFAULT 1 CHECK (weight > 0),
    usage REAL NOT NULL DEFAULT 0,            -- leases granted, halved every day: see charge_tenant.sql
    usage_at INTEGER NOT NULL,
    max_running INTEGER NOT NULL DEFAULT 1000 CHECK (max_running >= 0)
) STRICT;

CREATE TABLE job (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenant (id),
    job_type TEXT NOT NULL,
    pool TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('blocked', 'scheduled', 'ready', 'leased', 'done', 'dead', 'cancelled')),
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
    started_at INTEGER,                       -- first event of the current attempt's engine
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CHECK ((state = 'leased') = (lease_worker IS NOT NULL))
) STRICT;

CREATE INDEX job_ready ON job (pool, tenant_id, rank, id) WHERE state = 'ready';
CREATE INDEX job_scheduled ON job (run_at) WHERE state = 'scheduled';
CREATE INDEX job_lease_until ON job (lease_until) WHERE state = 'leased';
CREATE INDEX job_leased ON job (tenant_id) WHERE state = 'leased';
CREATE INDEX job_of_worker ON job (lease_worker) WHERE state = 'leased';
CREATE INDEX job_of_tenant ON job (tenant_id, id);

CREATE TABLE job_detail (
    job_id TEXT PRIMARY KEY REFERENCES job (id),
    user_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    payload TEXT NOT NULL,                    -- canonical JSON of the job type's spec
    inputs TEXT NOT NULL,                     -- JSON array: what the worker stages, by hash
    name TEXT,
    retry_of TEXT,
    trace_id TEXT,
    result TEXT,                              -- JSON of the accepted result
    error TEXT,                               -- JSON of the last error
    progress TEXT,                            -- JSON of the newest progress event
    log_bytes INTEGER NOT NULL DEFAULT 0,
    finished_at INTEGER
) STRICT;

-- One row per attempt: who held the job when, and how it ended.
CREATE TABLE lease (
    job_id TEXT NOT NULL REFERENCES job (id),
    fence INTEGER NOT NULL,
    worker_id TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT CHECK (outcome IN ('completed', 'failed', 'cancelled', 'lost', 'returned')),
    envelope TEXT,                            -- the worker's signed result, as evidence
    PRIMARY KEY (job_id, fence)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    job_id TEXT NOT NULL REFERENCES job (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_event (
    job_id TEXT NOT NULL REFERENCES job (id),
    sequence INTEGER NOT NULL,                -- 1, 2, 3, … within the job
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,                       -- JSON
    PRIMARY KEY (job_id, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE worker (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL UNIQUE,          -- Ed25519, base64
    tenant_id TEXT NOT NULL,                  -- whose key registered it
    name TEXT NOT NULL,
    profile TEXT NOT NULL,                    -- JSON: hardware as the worker claims it
    pool TEXT NOT NULL,
    membership TEXT NOT NULL CHECK (membership IN ('pending', 'approved', 'cordoned', 'revoked')),
    draining INTEGER NOT NULL DEFAULT 0,
    registered_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE artifact (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,   -- order of arrival
    id TEXT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('dataset', 'distill', 'checkpoint', 'eval', 'deployment')),
    job_id TEXT REFERENCES job (id),          -- NULL for an upload
    name TEXT NOT NULL,
    root_digest TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    manifest TEXT NOT NULL,                   -- JSON
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX artifact_of_tenant ON artifact (tenant_id, kind, sequence);
CREATE INDEX artifact_of_job ON artifact (job_id) WHERE job_id IS NOT NULL;

-- What the ledger has still to take in, in order. Written in the transaction that it tells about.
CREATE TABLE ledger_outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,                       -- JSON
    created_at INTEGER NOT NULL
) STRICT;
