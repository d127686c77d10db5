-- SPDX-License-Identifier: Apache-2.0
--
-- Newest month first; :month NULL is all.
SELECT i.sequence, i.id, i.tenant_id, i.month, i.state, i.lines, i.total_microusd, i.created_at, i.paid_at, s.stripe_id, s.url
FROM billing_invoice AS i
LEFT JOIN stripe_invoice AS s ON s.invoice_id = i.id
WHERE (:tenant_id IS NULL OR i.tenant_id = :tenant_id) AND (:month IS NULL OR i.month = :month)
ORDER BY i.month DESC, i.sequence DESC
LIMIT :limit
