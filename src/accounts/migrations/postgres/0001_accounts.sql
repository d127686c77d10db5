-- SPDX-License-Identifier: Apache-2.0
--
-- Users, projects and API keys. Times are integer microseconds UTC. Of a key only the SHA-256 is stored.
-- Texts compare byte by byte, as in SQLite: an order by id is one by time whatever the locale.

CREATE TABLE "user" (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint NOT NULL
);

CREATE TABLE project (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint NOT NULL
);

CREATE TABLE member (
    project_id text COLLATE "C" NOT NULL REFERENCES project (id),
    user_id text COLLATE "C" NOT NULL REFERENCES "user" (id),
    role text COLLATE "C" NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer', 'billing')),
    PRIMARY KEY (project_id, user_id)
);

CREATE TABLE api_key (
    id text COLLATE "C" PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL REFERENCES "user" (id),
    project_id text COLLATE "C" NOT NULL REFERENCES project (id),
    name text COLLATE "C" NOT NULL,
    sha256 bytea NOT NULL UNIQUE CHECK (length(sha256) = 32),
    prefix text COLLATE "C" NOT NULL,
    last4 text COLLATE "C" NOT NULL,
    scopes text COLLATE "C" NOT NULL,        -- JSON array
    created_by text COLLATE "C",             -- the key that made it; NULL for the first
    created_at bigint NOT NULL,
    last_used_at bigint,
    expires_at bigint,
    revoked_at bigint
);

CREATE INDEX api_key_of_user ON api_key (user_id, id);
