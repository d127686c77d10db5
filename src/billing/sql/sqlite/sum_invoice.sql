-- SPDX-License-Identifier: Apache-2.0
SELECT
    e.kind,
    e.job_type,
    e.meter,
    e.rate_card,
    sum(e.quantity) AS quantity,
    sum(CASE WHEN e.debit = 'receivable' THEN e.amount_microusd ELSE -e.amount_microusd END) AS amount_microusd
FROM billing_invoice_entry AS l
JOIN billing_entry AS e ON e.sequence = l.entry
WHERE l.invoice_id = :invoice_id
GROUP BY e.kind, e.job_type, e.meter, e.rate_card
ORDER BY e.kind, e.job_type, e.meter, e.rate_card
