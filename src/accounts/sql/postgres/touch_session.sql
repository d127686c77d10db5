-- SPDX-License-Identifier: Apache-2.0
UPDATE session SET last_seen_at = nexa_now() WHERE id = :session_id AND last_seen_at < nexa_now()
