-- SPDX-License-Identifier: Apache-2.0
SELECT p.id, p.name, p.created_at, m.role
FROM member AS m
JOIN project AS p ON p.id = m.project_id
WHERE m.user_id = :user_id AND (:project_id::text IS NULL OR p.id = :project_id)
ORDER BY p.id
