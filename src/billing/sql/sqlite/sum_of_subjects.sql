-- SPDX-License-Identifier: Apache-2.0
--
-- Entries of a kind whose subject begins with a text that ends in '/'.
SELECT coalesce(sum(amount_microusd), 0) AS amount_microusd
FROM billing_entry
WHERE kind = :kind AND subject >= :prefix AND subject < :behind
