-- SPDX-License-Identifier: Apache-2.0
--
-- Only an owner makes owners, or an administrator of the installation. Zero rows: a member already, or not allowed.
INSERT INTO member (project_id, user_id, role)
SELECT p.id, u.id, :role::text
FROM project AS p
JOIN "user" AS u ON u.id = :user_id
WHERE p.id = :project_id
    AND (:role::text <> 'owner' OR :by_admin::boolean OR EXISTS (
        SELECT 1 FROM member AS actor
        WHERE actor.project_id = :project_id AND actor.user_id = :actor_id AND actor.role = 'owner'
    ))
ON CONFLICT DO NOTHING
