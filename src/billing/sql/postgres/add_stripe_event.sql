-- SPDX-License-Identifier: Apache-2.0
--
-- One row: it was not taken before.
INSERT INTO stripe_event (id, type, invoice_id, taken_at) VALUES (:id, :type, :invoice_id, nexa_now())
ON CONFLICT DO NOTHING
