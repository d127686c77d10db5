-- SPDX-License-Identifier: Apache-2.0
INSERT INTO billing_invoice (id, tenant_id, month, state, lines, total_microusd, created_at)
VALUES (:id, :tenant_id, :month, 'open', '[]', 0, nexa_now())
