-- SPDX-License-Identifier: Apache-2.0
DELETE FROM invitation WHERE user_id = :user_id
