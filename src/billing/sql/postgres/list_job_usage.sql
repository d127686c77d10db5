-- SPDX-License-Identifier: Apache-2.0
SELECT meter, quantity, job_type, rate_card, cost_microusd, at, ends_at
FROM usage_record
WHERE job_id = :job_id AND tenant_id = :tenant_id
ORDER BY meter
