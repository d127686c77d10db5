-- SPDX-License-Identifier: Apache-2.0
--
-- Only an owner, or an administrator of the installation, makes and unmakes owners; the last owner stays.
-- Zero rows: no member, not allowed, or the last owner.
UPDATE member SET role = :role
WHERE project_id = :project_id AND user_id = :user_id
    AND ((role <> 'owner' AND :role <> 'owner') OR :by_admin = 1 OR EXISTS (
        SELECT 1 FROM member AS actor
        WHERE actor.project_id = :project_id AND actor.user_id = :actor_id AND actor.role = 'owner'
    ))
    AND (role <> 'owner' OR :role = 'owner' OR EXISTS (
        SELECT 1 FROM member AS other
        WHERE other.project_id = :project_id AND other.role = 'owner' AND other.user_id <> :user_id
    ))
