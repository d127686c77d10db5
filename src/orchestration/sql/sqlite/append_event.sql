-- SPDX-License-Identifier: Apache-2.0
INSERT INTO job_event (job_id, sequence, at, type, data)
SELECT :job_id, coalesce(max(sequence), 0) + 1, nexa_now(), :type, :data FROM job_event WHERE job_id = :job_id
RETURNING sequence
