-- SPDX-License-Identifier: Apache-2.0
INSERT INTO api_key (
    id, user_id, project_id, name, sha256, prefix, last4, scopes, rate_limit_per_second, created_by, created_at,
    expires_at
)
VALUES (
    :key_id, :user_id, :project_id, :name, :sha256, :prefix, :last4, :scopes, :rate_limit_per_second, :created_by,
    nexa_now(), CASE WHEN :lifetime_us::bigint IS NULL THEN NULL ELSE nexa_now() + :lifetime_us::bigint END
)
RETURNING created_at, expires_at
