-- SPDX-License-Identifier: Apache-2.0
SELECT
    j.id, j.tenant_id, j.job_type, j.pool, j.state, j.priority, j.attempt, j.failures, j.losses, j.fence,
    j.lease_worker, j.started_at, j.cancel_requested, j.created_at, j.updated_at, j.run_at, j.gpus, j.memory_bytes,
    j.max_failures,
    d.user_id, d.key_id, d.payload, d.inputs, d.name, d.retry_of, d.result, d.error, d.progress, d.log_bytes,
    d.finished_at
FROM job AS j
JOIN job_detail AS d ON d.job_id = j.id
WHERE j.id = :job_id AND (:tenant_id IS NULL OR j.tenant_id = :tenant_id)
