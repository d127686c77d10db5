-- SPDX-License-Identifier: Apache-2.0
--
-- Nothing, unless Stripe is to be told of this kind of thing.
INSERT INTO stripe_task (kind, subject, tenant_id, amount_microusd, at, next_at)
SELECT :kind::text, :subject::text, :tenant_id::text, :amount_microusd::bigint, :at::bigint, nexa_now()
WHERE EXISTS (SELECT 1 FROM stripe_option WHERE name = CASE :kind::text WHEN 'usage' THEN 'usage' ELSE 'invoices' END)
ON CONFLICT DO NOTHING
