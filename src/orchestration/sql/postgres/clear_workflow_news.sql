-- SPDX-License-Identifier: Apache-2.0
--
-- Whoever takes a job from its worker does not take the workflow first: an end that another coordinator has committed
-- since the workflow was read is still news.
UPDATE workflow_branch AS b SET has_news = false
WHERE b.workflow_id = :workflow_id AND b.has_news
    AND NOT (
        b.state = 'running'
        AND EXISTS (SELECT 1 FROM job AS j WHERE j.id = b.job_id AND j.state IN ('done', 'dead', 'cancelled'))
        AND EXISTS (SELECT 1 FROM workflow AS w WHERE w.id = b.workflow_id AND w.state = 'running')
    )
