-- SPDX-License-Identifier: Apache-2.0
--
-- Jobs and who holds them. Times are integer microseconds UTC. The hot row of a job is small; what only people
-- read lies in job_detail. Later migrations add columns and tables; they rebuild none of these.

CREATE TABLE tenant (
    id text COLLATE "C" PRIMARY KEY,         -- a project
    weight double precision NOT NULL DEFAULT 1 CHECK (weight > 0),
    usage double precision NOT NULL DEFAULT 0,  -- leases granted, halved every day: see charge_tenant.sql
    usage_at bigint NOT NULL,
    max_running bigint NOT NULL DEFAULT 1000 CHECK (max_running >= 0)
);

CREATE TABLE job (
    id text COLLATE "C" PRIMARY KEY,
    tenant_id text COLLATE "C" NOT NULL REFERENCES tenant (id),
    job_type text COLLATE "C" NOT NULL,
    pool text COLLATE "C" NOT NULL,
    state text COLLATE "C" NOT NULL CONSTRAINT job_state CHECK (
        state IN ('blocked', 'scheduled', 'ready', 'leased', 'done', 'dead', 'cancelled')
    ),
    priority bigint NOT NULL,
    -- Order among the ready jobs of a tenant: run_at plus ten minutes per priority step, so that waiting ages a job.
    rank bigint NOT NULL,
    run_at bigint NOT NULL,
    gpus bigint NOT NULL DEFAULT 0,          -- what a worker must offer
    memory_bytes bigint NOT NULL DEFAULT 0,
    attempt bigint NOT NULL DEFAULT 0,       -- leases granted
    failures bigint NOT NULL DEFAULT 0,      -- attempts that ended in an error of the job
    max_failures bigint NOT NULL CHECK (max_failures >= 1),
    losses bigint NOT NULL DEFAULT 0,        -- attempts that ended with the worker gone
    max_losses bigint NOT NULL DEFAULT 10 CHECK (max_losses >= 1),
    fence bigint NOT NULL DEFAULT 0,         -- rises with every grant; a stale one changes nothing
    lease_worker text COLLATE "C",
    lease_until bigint,
    started_at bigint,                       -- first event of the current attempt's engine
    cancel_requested boolean NOT NULL DEFAULT false,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
    CHECK ((state = 'leased') = (lease_worker IS NOT NULL))
);

CREATE INDEX job_ready ON job (pool, tenant_id, rank, id) WHERE state = 'ready';
CREATE INDEX job_scheduled ON job (run_at) WHERE state = 'scheduled';
CREATE INDEX job_lease_until ON job (lease_until) WHERE state = 'leased';
CREATE INDEX job_leased ON job (tenant_id) WHERE state = 'leased';
CREATE INDEX job_of_worker ON job (lease_worker) WHERE state = 'leased';
CREATE INDEX job_of_tenant ON job (tenant_id, id);

CREATE TABLE job_detail (
    job_id text COLLATE "C" PRIMARY KEY REFERENCES job (id),
    user_id text COLLATE "C" NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    payload text COLLATE "C" NOT NULL,       -- canonical JSON of the job type's spec
    inputs text COLLATE "C" NOT NULL,        -- JSON array: what the worker stages, by hash
    name text COLLATE "C",
    retry_of text COLLATE "C",
    trace_id text COLLATE "C",
    result text COLLATE "C",                 -- JSON of the accepted result
    error text COLLATE "C",                  -- JSON of the last error
    progress text COLLATE "C",               -- JSON of the newest progress event
    log_bytes bigint NOT NULL DEFAULT 0,
    finished_at bigint
);

-- One row per attempt: who held the job when, and how it ended.
CREATE TABLE lease (
    job_id text COLLATE "C" NOT NULL REFERENCES job (id),
    fence bigint NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    granted_at bigint NOT NULL,
    ended_at bigint,
    outcome text COLLATE "C" CHECK (outcome IN ('completed', 'failed', 'cancelled', 'lost', 'returned')),
    envelope text COLLATE "C",               -- the worker's signed result, as evidence
    PRIMARY KEY (job_id, fence)
);

CREATE TABLE idempotency (
    tenant_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    request_sha256 text COLLATE "C" NOT NULL,
    job_id text COLLATE "C" NOT NULL REFERENCES job (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (tenant_id, key)
);

CREATE TABLE job_event (
    job_id text COLLATE "C" NOT NULL REFERENCES job (id),
    sequence bigint NOT NULL,                -- 1, 2, 3, … within the job
    at bigint NOT NULL,
    type text COLLATE "C" NOT NULL,
    data text COLLATE "C" NOT NULL,          -- JSON
    PRIMARY KEY (job_id, sequence)
);

CREATE TABLE worker (
    id text COLLATE "C" PRIMARY KEY,
    public_key text COLLATE "C" NOT NULL UNIQUE,  -- Ed25519, base64
    tenant_id text COLLATE "C" NOT NULL,     -- whose key registered it
    name text COLLATE "C" NOT NULL,
    profile text COLLATE "C" NOT NULL,       -- JSON: hardware as the worker claims it
    pool text COLLATE "C" NOT NULL,
    membership text COLLATE "C" NOT NULL CHECK (membership IN ('pending', 'approved', 'cordoned', 'revoked')),
    draining boolean NOT NULL DEFAULT false,
    registered_at bigint NOT NULL,
    last_seen_at bigint NOT NULL
);

CREATE TABLE artifact (
    sequence bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,  -- order of arrival
    id text COLLATE "C" NOT NULL UNIQUE,
    tenant_id text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('dataset', 'distill', 'checkpoint', 'eval', 'deployment')),
    job_id text COLLATE "C" REFERENCES job (id),  -- NULL for an upload
    name text COLLATE "C" NOT NULL,
    root_digest text COLLATE "C" NOT NULL,
    bytes bigint NOT NULL,
    manifest text COLLATE "C" NOT NULL,      -- JSON
    created_at bigint NOT NULL
);

CREATE INDEX artifact_of_tenant ON artifact (tenant_id, kind, sequence);
CREATE INDEX artifact_of_job ON artifact (job_id) WHERE job_id IS NOT NULL;

-- What the ledger has still to take in, in order. Written in the transaction that it tells about. Of two coordinators
-- the higher number may be committed first.
CREATE TABLE ledger_outbox (
    sequence bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    body text COLLATE "C" NOT NULL,          -- JSON
    created_at bigint NOT NULL
);
