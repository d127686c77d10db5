-- SPDX-License-Identifier: Apache-2.0
--
-- What an answer of a deployed model used, at the time it was given, not at the time we hear of it.
INSERT INTO usage_record (
    job_id, meter, quantity, tenant_id, user_id, key_id, job_type, rate_card, cost_microusd, at
)
VALUES (
    :answer_id, :meter, :quantity, :tenant_id, '', :key_id, :job_type, :rate_card, :cost_microusd, least(:at, nexa_now())
)
ON CONFLICT DO NOTHING
