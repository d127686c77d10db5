-- SPDX-License-Identifier: Apache-2.0
UPDATE api_key SET last_used_at = nexa_now() WHERE id = :key_id
