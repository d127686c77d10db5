-- SPDX-License-Identifier: Apache-2.0
--
-- Newest first.
SELECT
    sequence, kind, subject, tenant_id, debit, credit, amount_microusd, job_id, meter, rate_card, note, at, created_at
FROM billing_entry
WHERE tenant_id = :tenant_id AND (:after IS NULL OR sequence < :after)
ORDER BY sequence DESC
LIMIT :limit
