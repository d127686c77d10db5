-- SPDX-License-Identifier: Apache-2.0
--
-- No row: the name or the address is another's.
INSERT INTO "user" (id, name, email, status, is_admin, created_at)
VALUES (:user_id, :name, :email, :status, :is_admin, nexa_now())
ON CONFLICT DO NOTHING
RETURNING created_at
