-- SPDX-License-Identifier: Apache-2.0
--
-- Ends the jobs that no gateway took up in time. What a rival is just ending is skipped.
WITH late AS MATERIALIZED (
    SELECT id FROM job
    WHERE state = 'activating' AND activate_until <= nexa_now()
    ORDER BY activate_until
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE job SET state = 'dead', activate_until = NULL, updated_at = nexa_now()
FROM late
WHERE job.id = late.id
RETURNING job.id
