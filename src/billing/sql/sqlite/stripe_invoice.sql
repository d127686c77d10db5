-- SPDX-License-Identifier: Apache-2.0
SELECT stripe_id, url FROM stripe_invoice WHERE invoice_id = :invoice_id
