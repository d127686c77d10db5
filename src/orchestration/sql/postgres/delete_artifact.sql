-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: it is not there, or something needs it: see users_of_artifact.sql.
UPDATE artifact SET deleted_at = nexa_now()
WHERE id = :artifact_id AND tenant_id = :tenant_id AND deleted_at IS NULL
    AND NOT EXISTS (
        SELECT 1
        FROM job_input AS i
        JOIN job AS j ON j.id = i.job_id
        WHERE i.artifact_id = :artifact_id AND j.state NOT IN ('done', 'dead', 'cancelled')
    )
    AND NOT EXISTS (
        SELECT 1
        FROM deployment AS d
        WHERE d.state IN ('loading', 'ready')
            AND (d.id = :artifact_id OR d.job_id IN (SELECT job_id FROM job_input WHERE artifact_id = :artifact_id))
    )
RETURNING job_id
