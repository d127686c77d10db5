-- SPDX-License-Identifier: Apache-2.0
INSERT INTO user_password (user_id, encoded, changed_at) VALUES (:user_id, :encoded, nexa_now())
ON CONFLICT (user_id) DO UPDATE SET encoded = excluded.encoded, changed_at = excluded.changed_at
