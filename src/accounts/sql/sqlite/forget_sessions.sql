-- SPDX-License-Identifier: Apache-2.0
--
-- What cannot be used any more.
DELETE FROM session WHERE expires_at <= nexa_now() OR last_seen_at + :idle_us <= nexa_now()
