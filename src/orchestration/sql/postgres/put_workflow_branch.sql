-- SPDX-License-Identifier: Apache-2.0
INSERT INTO workflow_branch (workflow_id, step, branch, state, matrix, job_id, tries)
VALUES (:workflow_id, :step, :branch, :state, :matrix, :job_id, :tries)
ON CONFLICT (workflow_id, step, branch) DO UPDATE SET
    state = excluded.state,
    matrix = excluded.matrix,
    job_id = excluded.job_id,
    tries = excluded.tries
