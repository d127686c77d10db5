-- SPDX-License-Identifier: Apache-2.0
--
-- Newest first, since ids rise with time. :states is a JSON array, or NULL for all; :after is the last id seen.
SELECT
    j.id, j.tenant_id, j.job_type, j.pool, j.state, j.priority, j.attempt, j.failures, j.losses, j.fence,
    j.lease_worker, j.started_at, j.cancel_requested, j.created_at, j.updated_at, j.run_at, j.gpus, j.memory_bytes,
    j.max_failures,
    d.user_id, d.key_id, d.payload, d.inputs, d.name, d.retry_of, d.result, d.error, d.progress, d.log_bytes,
    d.finished_at
FROM job AS j
JOIN job_detail AS d ON d.job_id = j.id
WHERE j.tenant_id = :tenant_id
    AND (:after::text IS NULL OR j.id < :after)
    AND (:job_type::text IS NULL OR j.job_type = :job_type)
    AND (:states::jsonb IS NULL OR j.state IN (SELECT jsonb_array_elements_text(:states)))
    AND (:started::boolean IS NULL OR (j.started_at IS NOT NULL) = :started)
ORDER BY j.id DESC
LIMIT :limit
