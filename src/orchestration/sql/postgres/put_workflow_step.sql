-- SPDX-License-Identifier: Apache-2.0
INSERT INTO workflow_step (workflow_id, step, state, reason)
VALUES (:workflow_id, :step, :state, :reason)
ON CONFLICT (workflow_id, step) DO UPDATE SET state = excluded.state, reason = excluded.reason
