-- SPDX-License-Identifier: Apache-2.0
--
-- What an artifact was made from, and what that was made from, nearest first. Deleted ones are among them.
WITH RECURSIVE line (artifact_id, depth) AS (
    SELECT :artifact_id::text COLLATE "C", 0::bigint
    UNION
    SELECT i.artifact_id, line.depth + 1
    FROM line
    JOIN artifact AS a ON a.id = line.artifact_id
    JOIN job_input AS i ON i.job_id = a.job_id
    WHERE line.depth < :depth_max::bigint
),
nearest AS (
    SELECT artifact_id, min(depth) AS depth FROM line WHERE depth > 0 GROUP BY artifact_id
)
SELECT a.id, a.kind, a.name, a.root_digest, a.job_id, j.job_type, n.depth, a.deleted_at IS NOT NULL AS deleted
FROM nearest AS n
JOIN artifact AS a ON a.id = n.artifact_id AND a.tenant_id = :tenant_id
LEFT JOIN job AS j ON j.id = a.job_id
ORDER BY n.depth, a.sequence
LIMIT :limit
