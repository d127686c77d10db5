-- SPDX-License-Identifier: Apache-2.0
--
-- What the job deployed cannot be served. Zero rows: it does not wait for that.
UPDATE job SET state = 'dead', activate_until = NULL, updated_at = nexa_now()
WHERE id = :job_id AND state = 'activating'
RETURNING id
