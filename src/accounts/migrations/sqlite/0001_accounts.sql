-- SPDX-License-Identifier: Apache-2.0
--
-- Users, projects and API keys. Times are integer microseconds UTC. Of a key only the SHA-256 is stored.

CREATE TABLE user (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE project (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE member (
    project_id TEXT NOT NULL REFERENCES project (id),
    user_id TEXT NOT NULL REFERENCES user (id),
    role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'viewer', 'billing')),
    PRIMARY KEY (project_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES user (id),
    project_id TEXT NOT NULL REFERENCES project (id),
    name TEXT NOT NULL,
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    prefix TEXT NOT NULL,
    last4 TEXT NOT NULL,
    scopes TEXT NOT NULL,                     -- JSON array
    created_by TEXT,                          -- the key that made it; NULL for the first
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_key_of_user ON api_key (user_id, id);
