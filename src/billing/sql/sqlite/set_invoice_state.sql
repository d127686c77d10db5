-- SPDX-License-Identifier: Apache-2.0
--
-- Only a change that makes sense, so that news that come late or twice change nothing: what is paid stays paid, until
-- the money is given back.
UPDATE billing_invoice SET
    state = :state,
    paid_at = CASE WHEN :state = 'paid' THEN nexa_now() ELSE paid_at END
WHERE id = :id AND (
    (state IN ('open', 'past_due') AND :state IN ('past_due', 'paid', 'void') AND state <> :state)
    OR (state = 'paid' AND :state = 'refunded')
)
