-- SPDX-License-Identifier: Apache-2.0
--
-- The same key registers the same worker again, with what it has now.
INSERT INTO worker (id, public_key, tenant_id, name, profile, pool, membership, registered_at, last_seen_at)
VALUES (:worker_id, :public_key, :tenant_id, :name, :profile, :pool, 'approved', nexa_now(), nexa_now())
ON CONFLICT (public_key) DO UPDATE SET
    name = excluded.name,
    profile = excluded.profile,
    pool = excluded.pool,
    draining = false,
    problems = '[]',
    last_seen_at = excluded.last_seen_at
WHERE worker.tenant_id = excluded.tenant_id AND worker.membership != 'revoked'
RETURNING id, membership
