-- SPDX-License-Identifier: Apache-2.0
--
-- As get_artifact.sql, and until this transaction ends nobody deletes it: lock_artifact.sql waits.
SELECT sequence, id, tenant_id, kind, job_id, name, root_digest, bytes, manifest, created_at
FROM artifact
WHERE id = :artifact_id AND deleted_at IS NULL AND (:tenant_id::text IS NULL OR tenant_id = :tenant_id)
FOR SHARE
