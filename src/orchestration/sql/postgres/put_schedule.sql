-- SPDX-License-Identifier: Apache-2.0
--
-- All that its owner may change.
UPDATE schedule SET
    name = :name,
    cron = :cron,
    time_zone = :time_zone,
    definition = :definition,
    missed = :missed,
    overlap = :overlap,
    paused = :paused,
    next_at = :next_at,
    user_id = :user_id,
    key_id = :key_id,
    updated_at = nexa_now()
WHERE id = :schedule_id AND tenant_id = :tenant_id
