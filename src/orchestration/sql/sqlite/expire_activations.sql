-- SPDX-License-Identifier: Apache-2.0
--
-- Ends the jobs that no gateway took up in time.
UPDATE job SET state = 'dead', activate_until = NULL, updated_at = nexa_now()
WHERE id IN (
    SELECT id FROM job
    WHERE state = 'activating' AND activate_until <= nexa_now()
    ORDER BY activate_until
    LIMIT :limit
)
RETURNING id
