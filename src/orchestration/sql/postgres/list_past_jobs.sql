-- SPDX-License-Identifier: Apache-2.0
--
-- The newest completed jobs of a type, with the bytes that they read: of the dataset if there was one, else of all.
SELECT
    j.id, j.started_at, d.payload, d.finished_at,
    (
        SELECT coalesce(sum(a.bytes), 0)::bigint
        FROM job_input AS i
        JOIN artifact AS a ON a.id = i.artifact_id
        WHERE i.job_id = j.id AND i.name = 'dataset'
    ) AS dataset_bytes,
    (
        SELECT coalesce(sum(a.bytes), 0)::bigint
        FROM job_input AS i
        JOIN artifact AS a ON a.id = i.artifact_id
        WHERE i.job_id = j.id
    ) AS input_bytes
FROM job AS j
JOIN job_detail AS d ON d.job_id = j.id
WHERE j.tenant_id = :tenant_id AND j.job_type = :job_type AND j.state = 'done'
    AND j.started_at IS NOT NULL AND d.finished_at IS NOT NULL
ORDER BY j.id DESC
LIMIT :limit
