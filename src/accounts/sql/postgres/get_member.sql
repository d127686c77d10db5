-- SPDX-License-Identifier: Apache-2.0
SELECT u.id AS user_id, u.name, u.email, u.status, m.role
FROM member AS m
JOIN "user" AS u ON u.id = m.user_id
WHERE m.project_id = :project_id AND m.user_id = :user_id
