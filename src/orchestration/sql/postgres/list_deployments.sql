-- SPDX-License-Identifier: Apache-2.0
SELECT sequence, id, tenant_id, job_id, name, region, state, message, inference_url, result, usage, created_at, updated_at
FROM deployment
WHERE tenant_id = :tenant_id
    AND (:live::boolean IS NULL OR (state IN ('loading', 'ready')) = :live)
    AND (:name::text IS NULL OR name = :name)
    AND (:region::text IS NULL OR region = :region)
    AND (:after::bigint IS NULL OR sequence < :after)
ORDER BY sequence DESC
LIMIT :limit
