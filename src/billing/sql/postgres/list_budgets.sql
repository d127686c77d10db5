-- SPDX-License-Identifier: Apache-2.0
--
-- With what was charged in the month; :key_id NULL: all of the project, else the project's and this key's.
SELECT b.key_id, b.amount_microusd, b.alert_percents, b.hard_stop, coalesce(s.spent_microusd, 0) AS spent_microusd
FROM billing_budget AS b
LEFT JOIN billing_spend AS s ON s.tenant_id = b.tenant_id AND s.key_id = b.key_id AND s.month = :month
WHERE b.tenant_id = :tenant_id AND (:key_id::text IS NULL OR b.key_id IN ('', :key_id))
ORDER BY b.key_id
