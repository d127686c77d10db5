-- SPDX-License-Identifier: Apache-2.0
--
-- What was made from an artifact, and from that, nearest first. Deleted ones are among them.
WITH RECURSIVE line (artifact_id, depth) AS (
    SELECT :artifact_id::text COLLATE "C", 0::bigint
    UNION
    SELECT a.id, line.depth + 1
    FROM line
    JOIN job_input AS i ON i.artifact_id = line.artifact_id
    JOIN artifact AS a ON a.job_id = i.job_id
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
