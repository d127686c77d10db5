-- SPDX-License-Identifier: Apache-2.0
INSERT INTO usage_record (
    job_id, meter, quantity, tenant_id, user_id, key_id, job_type, rate_card, cost_microusd, at
)
VALUES (
    :job_id, :meter, :quantity, :tenant_id, :user_id, :key_id, :job_type, :rate_card, :cost_microusd, nexa_now()
)
ON CONFLICT DO NOTHING
