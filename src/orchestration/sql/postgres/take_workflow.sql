-- SPDX-License-Identifier: Apache-2.0
--
-- Whoever raises the revision has the workflow to itself until its transaction ends: two jobs that end at once are told
-- of one after the other, and the step that waits for both starts once.
UPDATE workflow SET revision = revision + 1
WHERE id = :workflow_id
RETURNING
    id, tenant_id, user_id, key_id, name, template, schedule_id, definition, state, cancel_requested, run, created_at,
    updated_at, finished_at
