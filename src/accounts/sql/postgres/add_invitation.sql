-- SPDX-License-Identifier: Apache-2.0
--
-- Of two administrators who invite somebody again at the same moment the later one's token is good, and no other.
INSERT INTO invitation (sha256, user_id, created_at, expires_at)
VALUES (:sha256, :user_id, nexa_now(), nexa_now() + :lifetime_us)
ON CONFLICT (user_id) DO UPDATE SET
    sha256 = excluded.sha256,
    created_at = excluded.created_at,
    expires_at = excluded.expires_at
RETURNING expires_at
