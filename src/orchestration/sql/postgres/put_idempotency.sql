-- SPDX-License-Identifier: Apache-2.0
--
-- No row: the key is taken, find_idempotency.sql tells by whom.
INSERT INTO idempotency (tenant_id, key, request_sha256, job_id, created_at)
VALUES (:tenant_id, :key, :request_sha256, :job_id, nexa_now())
ON CONFLICT DO NOTHING
