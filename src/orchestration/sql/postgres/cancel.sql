-- SPDX-License-Identifier: Apache-2.0
--
-- A job nobody holds is cancelled at once; one that runs is asked to stop and learns it with the next renewal.
-- An ended job stays as it is and is not returned.
UPDATE job SET
    state = CASE WHEN state = 'leased' THEN 'leased' ELSE 'cancelled' END,
    activate_until = NULL,
    cancel_requested = true,
    updated_at = nexa_now()
WHERE id = :job_id AND tenant_id = :tenant_id
    AND state IN ('blocked', 'scheduled', 'ready', 'leased', 'activating')
RETURNING state
