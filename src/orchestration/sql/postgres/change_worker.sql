-- SPDX-License-Identifier: Apache-2.0
--
-- What an operator orders. NULL leaves a column as it is. Zero rows: no such worker, or one that was removed for good.
UPDATE worker SET
    membership = coalesce(:membership::text, membership),
    draining = coalesce(:draining::boolean, draining)
WHERE id = :worker_id AND tenant_id = :tenant_id AND membership IN ('approved', 'cordoned')
RETURNING pool
