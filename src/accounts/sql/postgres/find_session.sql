-- SPDX-License-Identifier: Apache-2.0
--
-- Only one that is good now: neither unused for too long nor past its end, of an active user.
SELECT s.id, s.user_id, s.last_seen_at, u.is_admin
FROM session AS s
JOIN "user" AS u ON u.id = s.user_id AND u.status = 'active'
WHERE s.sha256 = :sha256 AND s.expires_at > nexa_now() AND s.last_seen_at + :idle_us > nexa_now()
