-- SPDX-License-Identifier: Apache-2.0
--
-- As get_artifact.sql: here the writing transaction already keeps out who would delete it.
SELECT sequence, id, tenant_id, kind, job_id, name, root_digest, bytes, manifest, created_at
FROM artifact
WHERE id = :artifact_id AND deleted_at IS NULL AND (:tenant_id IS NULL OR tenant_id = :tenant_id)
