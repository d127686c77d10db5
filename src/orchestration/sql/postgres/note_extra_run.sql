-- SPDX-License-Identifier: Apache-2.0
--
-- A run beside the schedule's times, which stay as they are.
UPDATE schedule SET runs = runs + 1, last_at = nexa_now(), last_workflow_id = :workflow_id, last_note = ''
WHERE id = :schedule_id
