-- SPDX-License-Identifier: Apache-2.0
--
-- Only an owner, or an administrator of the installation, makes and unmakes owners; the last owner stays.
-- Zero rows: no member, not allowed, or the last owner.
--
-- Rivals: the owners that are counted are locked, in one order. Of two owners who unmake each other at the same moment
-- the second waits for the first, and is none any more.
WITH owner AS MATERIALIZED (
    SELECT user_id FROM member
    WHERE project_id = :project_id AND role = 'owner'
    ORDER BY user_id
    FOR UPDATE
)
UPDATE member SET role = :role::text
WHERE project_id = :project_id AND user_id = :user_id
    AND ((role <> 'owner' AND :role::text <> 'owner') OR :by_admin::boolean OR EXISTS (
        SELECT 1 FROM owner WHERE owner.user_id = :actor_id
    ))
    AND (role <> 'owner' OR :role::text = 'owner' OR EXISTS (SELECT 1 FROM owner WHERE owner.user_id <> :user_id))
