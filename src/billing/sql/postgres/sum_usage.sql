-- SPDX-License-Identifier: Apache-2.0
SELECT job_type, meter, sum(quantity)::bigint AS quantity, sum(cost_microusd)::bigint AS cost_microusd
FROM usage_record
WHERE tenant_id = :tenant_id AND at >= :from AND at < :until
    AND (:key_id::text IS NULL OR key_id = :key_id)
GROUP BY job_type, meter
ORDER BY job_type, meter
