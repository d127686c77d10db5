-- SPDX-License-Identifier: Apache-2.0
--
-- What cannot be used any more. Rivals skip what the other deletes.
WITH gone AS MATERIALIZED (
    SELECT id FROM session
    WHERE expires_at <= nexa_now() OR last_seen_at + :idle_us <= nexa_now()
    FOR UPDATE SKIP LOCKED
)
DELETE FROM session USING gone WHERE session.id = gone.id
