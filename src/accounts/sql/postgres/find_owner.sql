-- SPDX-License-Identifier: Apache-2.0
--
-- An active administrator with a project to work in, an owner's place first.
SELECT m.user_id, m.project_id
FROM member AS m
JOIN "user" AS u ON u.id = m.user_id AND u.is_admin AND u.status = 'active'
ORDER BY CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, m.project_id, m.user_id
LIMIT 1
