-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: the lease is lost, the worker stops at once. `started` notes the engine's first event.
UPDATE job SET
    lease_until = nexa_now() + :lease_us,
    started_at = CASE WHEN started_at IS NULL AND :started::boolean THEN nexa_now() ELSE started_at END,
    updated_at = CASE WHEN started_at IS NULL AND :started::boolean THEN nexa_now() ELSE updated_at END
WHERE id = :job_id AND state = 'leased' AND lease_worker = :worker_id AND fence = :fence
    AND lease_until > nexa_now()
RETURNING cancel_requested, lease_until
