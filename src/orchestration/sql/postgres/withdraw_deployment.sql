-- SPDX-License-Identifier: Apache-2.0
--
-- What was still loading goes with its job. Zero rows: the job deployed nothing, or it is live or gone already.
UPDATE deployment SET state = :state, message = :message, updated_at = nexa_now()
WHERE job_id = :job_id AND state = 'loading'
