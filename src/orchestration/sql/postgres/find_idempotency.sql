-- SPDX-License-Identifier: Apache-2.0
SELECT job_id, request_sha256 FROM idempotency WHERE tenant_id = :tenant_id AND key = :key
