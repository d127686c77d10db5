-- SPDX-License-Identifier: Apache-2.0
--
-- Revoking twice keeps the first moment. No row: not a key of this user.
UPDATE api_key SET revoked_at = coalesce(revoked_at, nexa_now())
WHERE id = :key_id AND user_id = :user_id AND project_id = :project_id
RETURNING id, sha256
