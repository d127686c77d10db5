-- SPDX-License-Identifier: Apache-2.0
--
-- Only with the password that was checked, and for a user who is still active. Zero rows: it changed meanwhile.
-- FOR SHARE: who changes the password or the user in this moment ends this session too, or it does not begin.
INSERT INTO session (id, user_id, sha256, created_at, last_seen_at, expires_at)
SELECT :session_id::text, u.id, :sha256::bytea, nexa_now(), nexa_now(), nexa_now() + :lifetime_us
FROM "user" AS u
JOIN user_password AS p ON p.user_id = u.id
WHERE u.id = :user_id AND u.status = 'active' AND p.encoded = :encoded
FOR SHARE OF u, p
