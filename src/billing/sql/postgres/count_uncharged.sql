-- SPDX-License-Identifier: Apache-2.0
--
-- What was used and priced, but is not in the ledger with that price; and charges of nothing.
SELECT
    (
        SELECT count(*) FROM usage_record AS u
        LEFT JOIN billing_entry AS e ON e.kind = 'charge' AND e.subject = u.job_id || '/' || u.meter
        WHERE u.cost_microusd > 0 AND (e.sequence IS NULL OR e.amount_microusd <> u.cost_microusd)
    ) + (
        SELECT count(*) FROM billing_entry AS e
        LEFT JOIN usage_record AS u ON u.job_id = e.job_id AND u.meter = e.meter
        WHERE e.kind = 'charge' AND u.job_id IS NULL
    ) AS wrong
