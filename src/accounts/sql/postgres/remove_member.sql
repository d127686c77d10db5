-- SPDX-License-Identifier: Apache-2.0
--
-- As change_member.
WITH owner AS MATERIALIZED (
    SELECT user_id FROM member
    WHERE project_id = :project_id AND role = 'owner'
    ORDER BY user_id
    FOR UPDATE
)
DELETE FROM member
WHERE project_id = :project_id AND user_id = :user_id
    AND (role <> 'owner' OR :by_admin::boolean OR EXISTS (SELECT 1 FROM owner WHERE owner.user_id = :actor_id))
    AND (role <> 'owner' OR EXISTS (SELECT 1 FROM owner WHERE owner.user_id <> :user_id))
