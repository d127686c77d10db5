-- SPDX-License-Identifier: Apache-2.0
--
-- By id, name or e-mail address: none of them looks like another.
SELECT id, name, email, status, is_admin, created_at
FROM "user"
WHERE id = :login OR name = :login OR email = :login
