-- SPDX-License-Identifier: Apache-2.0
SELECT invoice_id FROM stripe_invoice WHERE stripe_id = :stripe_id
