-- SPDX-License-Identifier: Apache-2.0
UPDATE schedule SET
    next_at = :next_at,
    runs = runs + :made,
    last_at = :last_at,
    last_workflow_id = :last_workflow_id,
    last_note = :last_note
WHERE id = :schedule_id
