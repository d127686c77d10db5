-- SPDX-License-Identifier: Apache-2.0
--
-- What is due, oldest first. Whoever takes it has it for :hold microseconds, and if it is never heard of again, the
-- next one.
UPDATE stripe_task SET attempts = attempts + 1, next_at = nexa_now() + :hold::bigint
WHERE sequence IN (
    SELECT sequence FROM stripe_task
    WHERE next_at <= nexa_now()
    ORDER BY next_at
    LIMIT :limit
    FOR UPDATE SKIP LOCKED
)
RETURNING sequence, kind, subject, tenant_id, amount_microusd, at, done, attempts
