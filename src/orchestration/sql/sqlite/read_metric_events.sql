-- SPDX-License-Identifier: Apache-2.0
SELECT sequence, at, type, data FROM job_event
WHERE job_id = :job_id AND sequence > :after AND type = 'metric'
ORDER BY sequence
LIMIT :limit
