-- SPDX-License-Identifier: Apache-2.0
--
-- A gateway serves what the job deployed. Zero rows: it does not wait for that, or its time is up, noticed or not.
UPDATE job SET state = 'done', activate_until = NULL, updated_at = nexa_now()
WHERE id = :job_id AND state = 'activating' AND activate_until > nexa_now()
RETURNING id
