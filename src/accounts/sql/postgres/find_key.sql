-- SPDX-License-Identifier: Apache-2.0
--
-- Only a key that is good now: neither revoked nor past its end, of an active user who is a member of its project.
SELECT
    k.id, k.user_id, k.project_id, k.scopes, k.expires_at, k.last_used_at, k.rate_limit_per_second, m.role, u.is_admin
FROM api_key AS k
JOIN member AS m ON m.project_id = k.project_id AND m.user_id = k.user_id
JOIN "user" AS u ON u.id = k.user_id AND u.status = 'active'
WHERE k.sha256 = :sha256 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > nexa_now())
