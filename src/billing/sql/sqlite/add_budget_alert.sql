-- SPDX-License-Identifier: Apache-2.0
--
-- One row: it was not given before.
INSERT INTO billing_budget_alert (tenant_id, key_id, month, percent, at)
VALUES (:tenant_id, :key_id, :month, :percent, nexa_now())
ON CONFLICT DO NOTHING
