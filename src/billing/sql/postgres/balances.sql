-- SPDX-License-Identifier: Apache-2.0
--
-- Debits less credits of each account: of a project, or of all.
SELECT account, sum(amount)::bigint AS balance, sum(entries)::bigint AS entries
FROM (
    SELECT debit AS account, sum(amount_microusd) AS amount, count(*) AS entries
    FROM billing_entry
    WHERE :tenant_id::text IS NULL OR tenant_id = :tenant_id
    GROUP BY debit
    UNION ALL
    SELECT credit, -sum(amount_microusd), 0
    FROM billing_entry
    WHERE :tenant_id::text IS NULL OR tenant_id = :tenant_id
    GROUP BY credit
) AS side
GROUP BY account
ORDER BY account
