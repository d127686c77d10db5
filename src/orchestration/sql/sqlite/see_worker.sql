-- SPDX-License-Identifier: Apache-2.0
UPDATE worker SET
    last_seen_at = nexa_now(),
    draining = coalesce(:draining, draining),
    problems = coalesce(:problems, problems)
WHERE id = :worker_id
RETURNING membership, draining, public_key
