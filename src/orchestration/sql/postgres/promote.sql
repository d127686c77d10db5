-- SPDX-License-Identifier: Apache-2.0
--
-- Rivals skip what the other promotes.
WITH due AS MATERIALIZED (
    SELECT id FROM job
    WHERE state = 'scheduled' AND run_at <= nexa_now()
    ORDER BY run_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
UPDATE job SET state = 'ready', updated_at = nexa_now()
FROM due
WHERE job.id = due.id
RETURNING job.id
