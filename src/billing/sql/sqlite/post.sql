-- SPDX-License-Identifier: Apache-2.0
--
-- Nothing happens if there is such an entry for this subject.
INSERT INTO billing_entry (
    kind, subject, tenant_id, debit, credit, amount_microusd, job_id, job_type, meter, rate_card, quantity, note, at,
    created_at
)
VALUES (
    :kind, :subject, :tenant_id, :debit, :credit, :amount_microusd, :job_id, :job_type, :meter, :rate_card, :quantity,
    :note, :at, nexa_now()
)
ON CONFLICT DO NOTHING
