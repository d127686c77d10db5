-- SPDX-License-Identifier: Apache-2.0
--
-- The last active administrator stays. No row: no such user, or the last one.
--
-- Rivals: as change_member; not FOR UPDATE, which would keep waiting who only refers to an administrator.
WITH administrator AS MATERIALIZED (
    SELECT id FROM "user"
    WHERE is_admin AND status = 'active'
    ORDER BY id
    FOR NO KEY UPDATE
)
UPDATE "user" SET status = :status::text
WHERE id = :user_id AND status <> 'invited'
    AND (:status::text = 'active' OR NOT is_admin OR EXISTS (
        SELECT 1 FROM administrator WHERE administrator.id <> :user_id
    ))
RETURNING id
