-- SPDX-License-Identifier: Apache-2.0
SELECT customer_id FROM stripe_customer WHERE tenant_id = :tenant_id
