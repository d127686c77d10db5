-- SPDX-License-Identifier: Apache-2.0
SELECT id, request_sha256 FROM workflow WHERE tenant_id = :tenant_id AND idempotency_key = :key
