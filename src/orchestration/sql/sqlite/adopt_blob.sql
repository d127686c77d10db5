-- SPDX-License-Identifier: Apache-2.0
--
-- One that lies in the vault and that nobody has told of.
INSERT INTO blob (digest, bytes, seen_at) VALUES (:digest, :bytes, nexa_now()) ON CONFLICT DO NOTHING
