-- SPDX-License-Identifier: Apache-2.0
--
-- The last active administrator stays. No row: no such user, or the last one.
UPDATE "user" SET status = :status
WHERE id = :user_id AND status <> 'invited'
    AND (:status = 'active' OR is_admin = 0 OR EXISTS (
        SELECT 1 FROM "user" AS other
        WHERE other.is_admin = 1 AND other.status = 'active' AND other.id <> :user_id
    ))
RETURNING id
