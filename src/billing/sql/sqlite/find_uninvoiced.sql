-- SPDX-License-Identifier: Apache-2.0
--
-- Whether anything is on no invoice yet: also what came late for a month that was closed before.
SELECT e.sequence
FROM billing_entry AS e
WHERE e.tenant_id = :tenant_id AND e.at < :until AND e.kind IN ('charge', 'accrual', 'refund')
    AND NOT EXISTS (SELECT 1 FROM billing_invoice_entry AS l WHERE l.entry = e.sequence)
LIMIT 1
