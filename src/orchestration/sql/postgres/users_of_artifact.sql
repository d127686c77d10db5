-- SPDX-License-Identifier: Apache-2.0
--
-- What keeps an artifact from being deleted: jobs that have not ended, deployments that serve it.
SELECT j.id
FROM job_input AS i
JOIN job AS j ON j.id = i.job_id
WHERE i.artifact_id = :artifact_id AND j.state NOT IN ('done', 'dead', 'cancelled')
UNION
SELECT d.id
FROM deployment AS d
WHERE d.state IN ('loading', 'ready')
    AND (d.id = :artifact_id OR d.job_id IN (SELECT job_id FROM job_input WHERE artifact_id = :artifact_id))
ORDER BY 1
LIMIT 10
