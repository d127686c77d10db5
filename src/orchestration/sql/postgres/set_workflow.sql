-- SPDX-License-Identifier: Apache-2.0
UPDATE workflow SET
    state = :state::text,
    cancel_requested = :cancel_requested,
    run = :run,
    updated_at = nexa_now(),
    finished_at = CASE WHEN :state::text = 'running' THEN NULL ELSE coalesce(finished_at, nexa_now()) END
WHERE id = :workflow_id
