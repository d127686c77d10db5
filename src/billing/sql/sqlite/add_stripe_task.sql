-- SPDX-License-Identifier: Apache-2.0
--
-- Nothing, unless Stripe is to be told of this kind of thing.
INSERT INTO stripe_task (kind, subject, tenant_id, amount_microusd, at, next_at)
SELECT :kind, :subject, :tenant_id, :amount_microusd, :at, nexa_now()
WHERE EXISTS (SELECT 1 FROM stripe_option WHERE name = CASE :kind WHEN 'usage' THEN 'usage' ELSE 'invoices' END)
ON CONFLICT DO NOTHING
