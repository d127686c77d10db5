-- SPDX-License-Identifier: Apache-2.0
INSERT INTO invitation (sha256, user_id, created_at, expires_at)
VALUES (:sha256, :user_id, nexa_now(), nexa_now() + :lifetime_us)
RETURNING expires_at
