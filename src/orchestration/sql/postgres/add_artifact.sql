-- SPDX-License-Identifier: Apache-2.0
INSERT INTO artifact (id, tenant_id, kind, job_id, name, root_digest, bytes, manifest, created_at)
VALUES (:artifact_id, :tenant_id, :kind, :job_id, :name, :root_digest, :bytes, :manifest, nexa_now())
