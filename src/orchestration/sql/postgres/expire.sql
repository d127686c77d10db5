-- SPDX-License-Identifier: Apache-2.0
--
-- Takes back what was not renewed. A lost worker is no error of the job: it goes back to its old place in the queue,
-- but one that loses worker after worker is poison and ends. What a rival is just renewing or taking back is skipped.
WITH lost AS MATERIALIZED (
    SELECT id FROM job
    WHERE state = 'leased' AND lease_until <= nexa_now()
    ORDER BY lease_until
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE job SET
    state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN losses + 1 >= max_losses THEN 'dead'
        ELSE 'ready'
    END,
    losses = losses + 1,
    lease_worker = NULL,
    lease_until = NULL,
    started_at = NULL,
    updated_at = nexa_now()
FROM lost
WHERE job.id = lost.id
RETURNING job.id, tenant_id, job_type, fence, state, losses
