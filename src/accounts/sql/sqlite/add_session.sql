-- SPDX-License-Identifier: Apache-2.0
--
-- Only with the password that was checked, and for a user who is still active. Zero rows: it changed meanwhile.
INSERT INTO session (id, user_id, sha256, created_at, last_seen_at, expires_at)
SELECT :session_id, u.id, :sha256, nexa_now(), nexa_now(), nexa_now() + :lifetime_us
FROM "user" AS u
JOIN user_password AS p ON p.user_id = u.id
WHERE u.id = :user_id AND u.status = 'active' AND p.encoded = :encoded
