-- SPDX-License-Identifier: Apache-2.0
--
-- A key that is replaced: it ends after :grace_us, or earlier if it would have. No row: not a good key of this user.
UPDATE api_key
SET expires_at = CASE
    WHEN expires_at IS NOT NULL AND expires_at < nexa_now() + :grace_us THEN expires_at
    ELSE nexa_now() + :grace_us
END
WHERE id = :key_id AND user_id = :user_id AND project_id = :project_id
    AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > nexa_now())
RETURNING sha256, name, scopes, rate_limit_per_second
