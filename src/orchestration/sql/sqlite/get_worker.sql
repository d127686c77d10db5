-- SPDX-License-Identifier: Apache-2.0
SELECT id, public_key, tenant_id, name, profile, pool, membership, draining, problems, registered_at, last_seen_at
FROM worker
WHERE id = :worker_id
