-- SPDX-License-Identifier: Apache-2.0
DELETE FROM session WHERE id = :session_id AND user_id = :user_id
