-- SPDX-License-Identifier: Apache-2.0
--
-- A draining worker returns a job it will not finish: neither an error of the job nor a loss.
UPDATE job SET
    state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'ready' END,
    lease_worker = NULL,
    lease_until = NULL,
    started_at = NULL,
    updated_at = nexa_now()
WHERE id = :job_id AND state = 'leased' AND lease_worker = :worker_id AND fence = :fence
    AND lease_until > nexa_now()
RETURNING tenant_id, job_type, state
