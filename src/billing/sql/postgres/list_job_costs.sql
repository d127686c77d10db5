-- SPDX-License-Identifier: Apache-2.0
--
-- Newest first; what applications asked of deployed models is not in it.
SELECT
    job_id,
    min(job_type) AS job_type,
    min(user_id) AS user_id,
    min(key_id) AS key_id,
    min(at)::bigint AS at,
    sum(cost_microusd)::bigint AS cost_microusd
FROM usage_record
WHERE tenant_id = :tenant_id AND at >= :from AND at < :until
    AND job_type <> 'inference'
    AND (:job_type::text IS NULL OR job_type = :job_type)
    AND (:key_id::text IS NULL OR key_id = :key_id)
    AND (:after::text IS NULL OR job_id < :after)
GROUP BY job_id
ORDER BY job_id DESC
LIMIT :limit
