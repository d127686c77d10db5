-- SPDX-License-Identifier: Apache-2.0
SELECT id FROM workflow WHERE id = :workflow_id AND state = 'running'
