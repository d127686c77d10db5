-- SPDX-License-Identifier: Apache-2.0
SELECT sequence, id, tenant_id, kind, job_id, name, root_digest, bytes, manifest, created_at
FROM artifact
WHERE tenant_id = :tenant_id
    AND deleted_at IS NULL
    AND (:kind::text IS NULL OR kind = :kind)
    AND (:job_id::text IS NULL OR job_id = :job_id)
    AND (:after::bigint IS NULL OR sequence < :after)
ORDER BY sequence DESC
LIMIT :limit
