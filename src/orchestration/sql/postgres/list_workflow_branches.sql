-- SPDX-License-Identifier: Apache-2.0
SELECT
    b.step, b.branch, b.state, b.matrix, b.job_id, b.tries, j.state AS job_state, j.started_at, d.result, d.error
FROM workflow_branch AS b
LEFT JOIN job AS j ON j.id = b.job_id
LEFT JOIN job_detail AS d ON d.job_id = b.job_id
WHERE b.workflow_id = :workflow_id
ORDER BY b.step, b.branch
