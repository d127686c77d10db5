-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: it has got a job in the meantime, or is not to be drained.
UPDATE worker SET draining = 1
WHERE id = :worker_id AND membership != 'revoked' AND draining = 0
    AND NOT EXISTS (SELECT 1 FROM job WHERE state = 'leased' AND lease_worker = :worker_id)
RETURNING id
