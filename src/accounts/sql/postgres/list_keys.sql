-- SPDX-License-Identifier: Apache-2.0
SELECT
    id, name, prefix, last4, scopes, created_at, last_used_at, expires_at, revoked_at, rate_limit_per_second
FROM api_key
WHERE user_id = :user_id AND project_id = :project_id
ORDER BY id DESC
