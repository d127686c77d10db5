-- SPDX-License-Identifier: Apache-2.0
SELECT
    w.id, w.public_key, w.tenant_id, w.name, w.profile, w.pool, w.membership, w.draining, w.problems,
    w.registered_at, w.last_seen_at,
    (SELECT json_group_array(id) FROM job WHERE state = 'leased' AND lease_worker = w.id
        AND (:jobs_of IS NULL OR tenant_id = :jobs_of)) AS jobs
FROM worker AS w
WHERE w.tenant_id = :tenant_id AND (:worker_id IS NULL OR w.id = :worker_id)
ORDER BY w.id
LIMIT :limit
