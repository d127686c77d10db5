-- SPDX-License-Identifier: Apache-2.0
--
-- Newest first, since ids rise with time; :after is the last id seen.
SELECT
    id, tenant_id, user_id, key_id, name, template, schedule_id, definition, state, cancel_requested, run, created_at,
    updated_at, finished_at
FROM workflow
WHERE tenant_id = :tenant_id
    AND (:after::text IS NULL OR id < :after)
    AND (:state::text IS NULL OR state = :state)
    AND (:schedule_id::text IS NULL OR schedule_id = :schedule_id)
ORDER BY id DESC
LIMIT :limit
