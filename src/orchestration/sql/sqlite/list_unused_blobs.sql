-- SPDX-License-Identifier: Apache-2.0
--
-- What no artifact names and nobody has seen since :unseen_since, and what a server that ended was removing.
SELECT digest
FROM blob AS b
WHERE b.seen_at < :unseen_since
    AND (b.collected_at IS NULL OR b.collected_at < :begun_before)
    AND NOT EXISTS (SELECT 1 FROM artifact_file AS f WHERE f.digest = b.digest)
ORDER BY b.seen_at
LIMIT :limit
