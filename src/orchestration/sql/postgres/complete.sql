-- SPDX-License-Identifier: Apache-2.0
--
-- Accepts a result. Zero rows: the lease is lost, and the late result changes nothing.
UPDATE job SET
    state = 'done',
    lease_worker = NULL,
    lease_until = NULL,
    updated_at = nexa_now()
WHERE id = :job_id AND state = 'leased' AND lease_worker = :worker_id AND fence = :fence
    AND lease_until > nexa_now()
RETURNING tenant_id, job_type, state
