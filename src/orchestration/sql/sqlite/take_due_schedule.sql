-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: another coordinator has it, or it is not due any more.
SELECT
    id, tenant_id, user_id, key_id, name, cron, time_zone, definition, missed, overlap, paused, next_at, runs, last_at,
    last_workflow_id, last_note, created_at, updated_at
FROM schedule
WHERE id = :schedule_id AND paused = 0 AND next_at <= nexa_now()
