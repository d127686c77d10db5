-- SPDX-License-Identifier: Apache-2.0
--
-- Who calls it has changed or made the job's row in the same transaction, so nobody else numbers its events now.
INSERT INTO job_event (job_id, sequence, at, type, data)
SELECT :job_id::text, coalesce(max(sequence), 0) + 1, nexa_now(), :type::text, :data::text FROM job_event WHERE job_id = :job_id
RETURNING sequence
