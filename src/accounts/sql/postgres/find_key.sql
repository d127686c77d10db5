-- SPDX-License-Identifier: Apache-2.0
--
-- Only a key that is good now: neither revoked nor past its end.
SELECT id, user_id, project_id, scopes, expires_at, last_used_at
FROM api_key
WHERE sha256 = :sha256 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > nexa_now())
