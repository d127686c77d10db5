-- SPDX-License-Identifier: Apache-2.0
--
-- What sum_usage.sql sums, for each stretch of :width microseconds since :origin.
SELECT
    (at - :origin) / :width AS bucket,
    job_type,
    meter,
    sum(quantity) AS quantity,
    sum(cost_microusd) AS cost_microusd
FROM usage_record
WHERE tenant_id = :tenant_id AND at >= :from AND at < :until
    AND (:key_id IS NULL OR key_id = :key_id)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
