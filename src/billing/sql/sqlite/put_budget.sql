-- SPDX-License-Identifier: Apache-2.0
INSERT INTO billing_budget (tenant_id, key_id, amount_microusd, alert_percents, hard_stop, updated_at)
VALUES (:tenant_id, :key_id, :amount_microusd, :alert_percents, :hard_stop, nexa_now())
ON CONFLICT (tenant_id, key_id) DO UPDATE SET
    amount_microusd = excluded.amount_microusd,
    alert_percents = excluded.alert_percents,
    hard_stop = excluded.hard_stop,
    updated_at = excluded.updated_at
