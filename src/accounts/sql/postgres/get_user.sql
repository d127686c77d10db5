-- SPDX-License-Identifier: Apache-2.0
SELECT id, name, email, status, is_admin, created_at FROM "user" WHERE id = :user_id
