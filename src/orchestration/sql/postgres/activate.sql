-- SPDX-License-Identifier: Apache-2.0
--
-- Accepts the result of a job that a gateway has still to take up: the lease ends, the job waits. Zero rows: the lease
-- is lost, and the late result changes nothing. One that was asked to stop ends here.
UPDATE job SET
    state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'activating' END,
    lease_worker = NULL,
    lease_until = NULL,
    activate_until = CASE WHEN cancel_requested THEN NULL ELSE nexa_now() + :activation_us END,
    started_at = coalesce(started_at, nexa_now()),
    updated_at = nexa_now()
WHERE id = :job_id AND state = 'leased' AND lease_worker = :worker_id AND fence = :fence
    AND lease_until > nexa_now()
RETURNING tenant_id, job_type, state
