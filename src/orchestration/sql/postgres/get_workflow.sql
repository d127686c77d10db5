-- SPDX-License-Identifier: Apache-2.0
SELECT
    id, tenant_id, user_id, key_id, name, template, schedule_id, definition, state, cancel_requested, run, created_at,
    updated_at, finished_at
FROM workflow
WHERE id = :workflow_id AND (:tenant_id::text IS NULL OR tenant_id = :tenant_id)
