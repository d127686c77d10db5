-- SPDX-License-Identifier: Apache-2.0
--
-- Only the hash that was checked: somebody else may have changed the password meanwhile.
UPDATE user_password SET encoded = :encoded, changed_at = nexa_now()
WHERE user_id = :user_id AND encoded = :old_encoded
