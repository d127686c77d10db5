-- SPDX-License-Identifier: Apache-2.0
SELECT p.id, p.name, p.created_at, m.role
FROM project AS p
LEFT JOIN member AS m ON m.project_id = p.id AND m.user_id = :user_id
ORDER BY p.id
