-- SPDX-License-Identifier: Apache-2.0
--
-- A job that belongs to a workflow has ended: the workflow is to be told in this transaction.
UPDATE workflow_branch SET has_news = true WHERE job_id = :job_id
