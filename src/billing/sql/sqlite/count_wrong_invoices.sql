-- SPDX-License-Identifier: Apache-2.0
SELECT count(*) AS wrong
FROM billing_invoice AS i
WHERE i.total_microusd <> (
    SELECT coalesce(sum(CASE WHEN e.debit = 'receivable' THEN e.amount_microusd ELSE -e.amount_microusd END), 0)
    FROM billing_invoice_entry AS l
    JOIN billing_entry AS e ON e.sequence = l.entry
    WHERE l.invoice_id = i.id
)
