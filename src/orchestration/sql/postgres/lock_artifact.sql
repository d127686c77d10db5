-- SPDX-License-Identifier: Apache-2.0
--
-- Before it is deleted, as a statement of its own: what the next one sees has the jobs whose submission was waited for
-- here. With what else its job made: of two coordinators that delete the last two, the second sees that none is left.
SELECT id FROM artifact
WHERE tenant_id = :tenant_id
    AND (id = :artifact_id OR job_id = (SELECT job_id FROM artifact WHERE id = :artifact_id))
ORDER BY id
FOR NO KEY UPDATE
