-- SPDX-License-Identifier: Apache-2.0
--
-- Only a change that makes sense, so that news that come late or twice change nothing: what is paid stays paid, until
-- the money is given back.
UPDATE billing_invoice SET
    state = :state::text,
    paid_at = CASE WHEN :state::text = 'paid' THEN nexa_now() ELSE paid_at END
WHERE id = :id AND (
    (state IN ('open', 'past_due') AND :state::text IN ('past_due', 'paid', 'void') AND state <> :state::text)
    OR (state = 'paid' AND :state::text = 'refunded')
)
