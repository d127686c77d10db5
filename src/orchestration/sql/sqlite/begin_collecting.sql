-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: it is used again, or another server removes it.
UPDATE blob SET collected_at = nexa_now()
WHERE digest = :digest
    AND seen_at < :unseen_since
    AND (collected_at IS NULL OR collected_at < :begun_before)
    AND NOT EXISTS (SELECT 1 FROM artifact_file AS f WHERE f.digest = :digest)
RETURNING bytes
