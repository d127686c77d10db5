-- SPDX-License-Identifier: Apache-2.0
--
-- Takes all jobs from a worker that was removed: neither an error of the job nor a loss.
UPDATE job SET
    state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'ready' END,
    lease_worker = NULL,
    lease_until = NULL,
    started_at = NULL,
    updated_at = nexa_now()
WHERE state = 'leased' AND lease_worker = :worker_id
RETURNING id, tenant_id, job_type, fence, state
