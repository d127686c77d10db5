-- SPDX-License-Identifier: Apache-2.0
SELECT
    id, tenant_id, user_id, key_id, name, cron, time_zone, definition, missed, overlap, paused, next_at, runs, last_at,
    last_workflow_id, last_note, created_at, updated_at
FROM schedule
WHERE tenant_id = :tenant_id AND (:after::text IS NULL OR id < :after)
ORDER BY id DESC
LIMIT :limit
