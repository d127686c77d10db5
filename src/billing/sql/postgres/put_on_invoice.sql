-- SPDX-License-Identifier: Apache-2.0
INSERT INTO billing_invoice_entry (entry, invoice_id)
SELECT e.sequence, :invoice_id::text
FROM billing_entry AS e
WHERE e.tenant_id = :tenant_id AND e.at < :until AND e.kind IN ('charge', 'accrual', 'refund')
    AND NOT EXISTS (SELECT 1 FROM billing_invoice_entry AS l WHERE l.entry = e.sequence)
