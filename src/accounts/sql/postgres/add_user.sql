-- SPDX-License-Identifier: Apache-2.0
INSERT INTO "user" (id, name, created_at) VALUES (:user_id, :name, nexa_now())
