-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: the idempotency key is taken, find_schedule_key.sql tells by whom.
INSERT INTO schedule (
    id, tenant_id, user_id, key_id, name, cron, time_zone, definition, missed, overlap, paused, next_at, created_at,
    updated_at, idempotency_key
)
VALUES (
    :schedule_id, :tenant_id, :user_id, :key_id, :name, :cron, :time_zone, :definition, :missed, :overlap, :paused,
    :next_at, nexa_now(), nexa_now(), :idempotency_key
)
ON CONFLICT (tenant_id, idempotency_key) DO NOTHING
RETURNING id
