-- SPDX-License-Identifier: Apache-2.0
--
-- Of a project, or of one of its jobs.
SELECT coalesce(sum(amount_microusd), 0) AS amount_microusd
FROM billing_entry
WHERE tenant_id = :tenant_id AND kind = :kind AND (:job_id IS NULL OR job_id = :job_id)
