-- SPDX-License-Identifier: Apache-2.0
SELECT step, state, reason FROM workflow_step WHERE workflow_id = :workflow_id ORDER BY step
