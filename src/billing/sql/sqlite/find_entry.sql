-- SPDX-License-Identifier: Apache-2.0
SELECT
    sequence, kind, subject, tenant_id, debit, credit, amount_microusd, job_id, meter, rate_card, note, at, created_at
FROM billing_entry
WHERE kind = :kind AND subject = :subject
