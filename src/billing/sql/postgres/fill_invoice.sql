-- SPDX-License-Identifier: Apache-2.0
--
-- In the transaction that made it: never later.
UPDATE billing_invoice SET lines = :lines, total_microusd = :total_microusd, state = :state WHERE id = :id
