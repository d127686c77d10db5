-- SPDX-License-Identifier: Apache-2.0
--
-- The workers of a pool that are there.
SELECT
    w.id, w.tenant_id, w.name, w.membership, w.draining, w.problems,
    (SELECT count(*) FROM job WHERE state = 'leased' AND lease_worker = w.id) AS jobs
FROM worker AS w
WHERE w.pool = :pool AND w.membership != 'revoked' AND w.last_seen_at > nexa_now() - :lost_after_us::bigint
ORDER BY w.id
