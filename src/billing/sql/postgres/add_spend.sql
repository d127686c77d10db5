-- SPDX-License-Identifier: Apache-2.0
INSERT INTO billing_spend (tenant_id, key_id, month, spent_microusd)
VALUES (:tenant_id, :key_id, :month, :cost_microusd)
ON CONFLICT (tenant_id, key_id, month) DO UPDATE SET
    spent_microusd = billing_spend.spent_microusd + excluded.spent_microusd
