-- SPDX-License-Identifier: Apache-2.0
--
-- More than one user: who they are, how they sign in, what they changed. Names and e-mail addresses are stored in
-- lower case. Of passwords an scrypt hash is stored, of every token its SHA-256 alone.

ALTER TABLE "user" ADD COLUMN email TEXT;
ALTER TABLE "user" ADD COLUMN status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('invited', 'active', 'disabled'));
ALTER TABLE "user" ADD COLUMN is_admin INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1));

CREATE UNIQUE INDEX user_by_email ON "user" (email);

ALTER TABLE api_key ADD COLUMN rate_limit_per_second REAL CHECK (rate_limit_per_second > 0);

CREATE INDEX member_of_user ON member (user_id, project_id);

CREATE TABLE user_password (
    user_id TEXT PRIMARY KEY REFERENCES "user" (id),
    encoded TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE invitation (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    user_id TEXT NOT NULL REFERENCES "user" (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX invitation_of_user ON invitation (user_id);

CREATE TABLE session (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES "user" (id),
    sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL                 -- at the latest; unused ones end earlier
) STRICT;

CREATE INDEX session_of_user ON session (user_id);

-- Who changed what. No statement updates or deletes a row.
CREATE TABLE audit_entry (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,                       -- "key.created"
    user_id TEXT,                               -- who did it; NULL: nobody we know, or the installation itself
    key_id TEXT,                                -- the key or session it was done with
    project_id TEXT,                            -- where; NULL: in the installation
    target TEXT NOT NULL,                       -- the id of what was changed
    address TEXT NOT NULL,
    details TEXT NOT NULL                       -- JSON object
) STRICT;

CREATE INDEX audit_of_project ON audit_entry (project_id, sequence);

-- Whoever owned a project until now owned the installation, and the first key may all that there is.
UPDATE "user" SET is_admin = 1 WHERE id IN (SELECT user_id FROM member WHERE role = 'owner');
UPDATE api_key SET scopes = replace(
    scopes,
    ']',
    ',"projects:read","projects:write","members:read","members:write","users:read","users:write","audit:read"]'
)
WHERE created_by IS NULL;
