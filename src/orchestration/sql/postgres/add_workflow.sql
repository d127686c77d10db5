-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: the idempotency key is taken, find_workflow_key.sql tells by whom.
INSERT INTO workflow (
    id, tenant_id, user_id, key_id, name, template, schedule_id, definition, state, idempotency_key, request_sha256,
    created_at, updated_at
)
VALUES (
    :workflow_id, :tenant_id, :user_id, :key_id, :name, :template, :schedule_id, :definition, 'running',
    :idempotency_key, :request_sha256, nexa_now(), nexa_now()
)
ON CONFLICT (tenant_id, idempotency_key) DO NOTHING
RETURNING id
