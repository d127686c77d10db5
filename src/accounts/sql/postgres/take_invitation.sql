-- SPDX-License-Identifier: Apache-2.0
--
-- Once. No row: unknown, used, or past its end.
DELETE FROM invitation WHERE sha256 = :sha256 AND expires_at > nexa_now()
RETURNING user_id
