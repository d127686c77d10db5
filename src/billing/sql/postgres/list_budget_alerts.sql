-- SPDX-License-Identifier: Apache-2.0
SELECT percent FROM billing_budget_alert
WHERE tenant_id = :tenant_id AND key_id = :key_id AND month = :month
ORDER BY percent
