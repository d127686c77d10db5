-- SPDX-License-Identifier: Apache-2.0
SELECT sequence, id, tenant_id, job_id, name, region, state, message, inference_url, result, usage, created_at, updated_at
FROM deployment
WHERE id = :deployment_id AND (:tenant_id::text IS NULL OR tenant_id = :tenant_id)
