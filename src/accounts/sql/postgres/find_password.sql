-- SPDX-License-Identifier: Apache-2.0
SELECT u.id AS user_id, p.encoded
FROM "user" AS u
JOIN user_password AS p ON p.user_id = u.id
WHERE u.status = 'active' AND (u.id = :login OR u.name = :login OR u.email = :login)
