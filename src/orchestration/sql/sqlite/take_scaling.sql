-- SPDX-License-Identifier: Apache-2.0
--
-- Whoever has a pool scales it, until it says so no more for a while. Zero rows: another coordinator has it.
INSERT INTO scaling (pool, holder, held_until, view) VALUES (:pool, :holder, nexa_now() + :hold_us, '')
ON CONFLICT (pool) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE scaling.holder = excluded.holder OR scaling.held_until <= nexa_now()
RETURNING pool
