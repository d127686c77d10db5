-- SPDX-License-Identifier: Apache-2.0
--
-- All sessions of a user but one; '' keeps none.
DELETE FROM session WHERE user_id = :user_id AND id <> :kept_id
