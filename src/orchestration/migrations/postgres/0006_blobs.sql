-- SPDX-License-Identifier: Apache-2.0
--
-- Which blobs are kept, and for whom. The bytes lie in the vault.

CREATE TABLE blob (
    digest text COLLATE "C" PRIMARY KEY,      -- sha256:…
    bytes bigint NOT NULL CHECK (bytes >= 0),
    seen_at bigint NOT NULL,                  -- last uploaded or named; one that no artifact names is kept for a while
    collected_at bigint                       -- while its bytes are being removed
);

CREATE INDEX blob_by_seen_at ON blob (seen_at);

-- Who has had the bytes: only such a tenant may name them in an artifact. To know a hash is not to have the file.
CREATE TABLE blob_holder (
    digest text COLLATE "C" NOT NULL REFERENCES blob (digest),
    tenant_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (digest, tenant_id)
);

-- The files of artifacts that are not deleted.
CREATE TABLE artifact_file (
    artifact_id text COLLATE "C" NOT NULL REFERENCES artifact (id),
    digest text COLLATE "C" NOT NULL REFERENCES blob (digest),
    PRIMARY KEY (artifact_id, digest)
);

CREATE INDEX artifact_file_by_digest ON artifact_file (digest);

INSERT INTO blob (digest, bytes, seen_at)
SELECT f ->> 'digest', max((f ->> 'size')::bigint), max(a.created_at)
FROM artifact AS a
CROSS JOIN jsonb_array_elements(a.manifest::jsonb -> 'files') AS f
GROUP BY 1;

INSERT INTO blob_holder (digest, tenant_id)
SELECT DISTINCT f ->> 'digest', a.tenant_id
FROM artifact AS a
CROSS JOIN jsonb_array_elements(a.manifest::jsonb -> 'files') AS f;

INSERT INTO artifact_file (artifact_id, digest)
SELECT DISTINCT a.id, f ->> 'digest'
FROM artifact AS a
CROSS JOIN jsonb_array_elements(a.manifest::jsonb -> 'files') AS f
WHERE a.deleted_at IS NULL;
