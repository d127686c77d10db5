-- SPDX-License-Identifier: Apache-2.0
UPDATE "user" SET status = 'active' WHERE id = :user_id AND status <> 'disabled'
