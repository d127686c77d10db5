-- SPDX-License-Identifier: Apache-2.0
INSERT INTO stripe_customer (tenant_id, customer_id) VALUES (:tenant_id, :customer_id) ON CONFLICT DO NOTHING
