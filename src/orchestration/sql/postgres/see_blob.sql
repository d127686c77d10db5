-- SPDX-License-Identifier: Apache-2.0
--
-- Before its bytes are asked for or come. Zero rows: they are being removed at this moment.
INSERT INTO blob (digest, bytes, seen_at) VALUES (:digest, :bytes, nexa_now())
ON CONFLICT (digest) DO UPDATE SET seen_at = nexa_now(), bytes = :bytes WHERE blob.collected_at IS NULL
RETURNING digest
