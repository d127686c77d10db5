-- SPDX-License-Identifier: Apache-2.0
INSERT INTO stripe_invoice (invoice_id, stripe_id, url) VALUES (:invoice_id, :stripe_id, :url)
ON CONFLICT (invoice_id) DO UPDATE SET url = excluded.url
