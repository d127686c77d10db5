-- SPDX-License-Identifier: Apache-2.0
--
-- What sum_usage.sql sums, for each stretch of :width microseconds since :origin.
SELECT
    (at - :origin::bigint) / :width::bigint AS bucket,
    job_type,
    meter,
    sum(quantity)::bigint AS quantity,
    sum(cost_microusd)::bigint AS cost_microusd
FROM usage_record
WHERE tenant_id = :tenant_id AND at >= :from AND at < :until
    AND (:key_id::text IS NULL OR key_id = :key_id)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
