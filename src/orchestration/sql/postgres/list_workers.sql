-- SPDX-License-Identifier: Apache-2.0
SELECT
    w.id, w.public_key, w.tenant_id, w.name, w.profile, w.pool, w.membership, w.draining, w.problems,
    w.registered_at, w.last_seen_at,
    (SELECT coalesce(json_agg(id), '[]')::text FROM job WHERE state = 'leased' AND lease_worker = w.id
        AND (:jobs_of::text IS NULL OR tenant_id = :jobs_of)) AS jobs
FROM worker AS w
WHERE w.tenant_id = :tenant_id AND (:worker_id::text IS NULL OR w.id = :worker_id)
ORDER BY w.id
LIMIT :limit
