-- SPDX-License-Identifier: Apache-2.0
--
-- Ends an attempt with an error of the job: again later if it may help and is allowed, else dead.
UPDATE job SET
    state = CASE
        WHEN cancel_requested OR :cancelled::boolean THEN 'cancelled'
        WHEN :retryable::boolean AND failures + 1 < max_failures THEN 'scheduled'
        ELSE 'dead'
    END,
    failures = failures + CASE WHEN cancel_requested OR :cancelled::boolean THEN 0 ELSE 1 END,
    run_at = nexa_now() + :backoff_us,
    rank = nexa_now() + :backoff_us + priority * 600000000,
    lease_worker = NULL,
    lease_until = NULL,
    updated_at = nexa_now()
WHERE id = :job_id AND state = 'leased' AND lease_worker = :worker_id AND fence = :fence
    AND lease_until > nexa_now()
RETURNING tenant_id, job_type, state, failures, created_at, started_at
