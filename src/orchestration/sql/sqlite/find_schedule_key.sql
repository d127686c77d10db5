-- SPDX-License-Identifier: Apache-2.0
SELECT id FROM schedule WHERE tenant_id = :tenant_id AND idempotency_key = :idempotency_key
