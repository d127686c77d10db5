-- SPDX-License-Identifier: Apache-2.0
SELECT coalesce(sum(cost_microusd), 0)::bigint AS cost_microusd FROM usage_record WHERE job_id = :job_id
