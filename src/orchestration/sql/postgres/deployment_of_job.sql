-- SPDX-License-Identifier: Apache-2.0
SELECT sequence, id, tenant_id, job_id, name, region, state, message, inference_url, result, usage, created_at, updated_at
FROM deployment
WHERE job_id = :job_id
