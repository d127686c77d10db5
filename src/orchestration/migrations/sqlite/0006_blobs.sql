-- SPDX-License-Identifier: Apache-2.0
--
-- Which blobs are kept, and for whom. The bytes lie in the vault.

CREATE TABLE blob (
    digest TEXT PRIMARY KEY,                  -- sha256:…
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    seen_at INTEGER NOT NULL,                 -- last uploaded or named; one that no artifact names is kept for a while
    collected_at INTEGER                      -- while its bytes are being removed
) STRICT, WITHOUT ROWID;

CREATE INDEX blob_by_seen_at ON blob (seen_at);

-- Who has had the bytes: only such a tenant may name them in an artifact. To know a hash is not to have the file.
CREATE TABLE blob_holder (
    digest TEXT NOT NULL REFERENCES blob (digest),
    tenant_id TEXT NOT NULL,
    PRIMARY KEY (digest, tenant_id)
) STRICT, WITHOUT ROWID;

-- The files of artifacts that are not deleted.
CREATE TABLE artifact_file (
    artifact_id TEXT NOT NULL REFERENCES artifact (id),
    digest TEXT NOT NULL REFERENCES blob (digest),
    PRIMARY KEY (artifact_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifact_file_by_digest ON artifact_file (digest);

INSERT INTO blob (digest, bytes, seen_at)
SELECT json_extract(f.value, '$.digest'), max(json_extract(f.value, '$.size')), max(a.created_at)
FROM artifact AS a
CROSS JOIN json_each(a.manifest, '$.files') AS f
GROUP BY 1;

INSERT INTO blob_holder (digest, tenant_id)
SELECT DISTINCT json_extract(f.value, '$.digest'), a.tenant_id
FROM artifact AS a
CROSS JOIN json_each(a.manifest, '$.files') AS f;

INSERT INTO artifact_file (artifact_id, digest)
SELECT DISTINCT a.id, json_extract(f.value, '$.digest')
FROM artifact AS a
CROSS JOIN json_each(a.manifest, '$.files') AS f
WHERE a.deleted_at IS NULL;
