-- SPDX-License-Identifier: Apache-2.0
INSERT INTO billing_invoice_entry (entry, invoice_id)
SELECT sequence, :invoice_id::text FROM billing_entry WHERE kind = 'rounding' AND subject = :subject
