-- SPDX-License-Identifier: Apache-2.0
--
-- Grants up to :slots leases on ready jobs that fit the offer, fairest tenant first. `queue` finds the tenants that
-- have ready jobs by skipping along the index, `head` takes the first few of each, `chosen` interleaves them:
-- the n-th job of a tenant counts as (its usage + n) / its weight. Touches a few rows, however long the queue.
WITH RECURSIVE queue (tenant_id) AS (
    SELECT min(tenant_id) FROM job WHERE state = 'ready' AND pool = :pool
    UNION ALL
    SELECT (SELECT min(tenant_id) FROM job WHERE state = 'ready' AND pool = :pool AND tenant_id > queue.tenant_id)
    FROM queue
    WHERE queue.tenant_id IS NOT NULL
),
head AS (
    SELECT
        j.id AS job_id,
        t.weight,
        t.usage * power(0.5, (nexa_now() - t.usage_at) / 86400e6) AS usage,
        row_number() OVER (PARTITION BY t.id ORDER BY j.rank, j.id) AS turn,
        t.max_running - (SELECT count(*) FROM job WHERE state = 'leased' AND tenant_id = t.id) AS free
    FROM queue
    CROSS JOIN tenant AS t ON t.id = queue.tenant_id
    CROSS JOIN job AS j ON j.id IN (
        SELECT id FROM job
        WHERE state = 'ready' AND pool = :pool AND tenant_id = t.id
            AND gpus <= :gpus AND memory_bytes <= :memory_bytes
        ORDER BY rank, id
        LIMIT :slots
    )
),
chosen AS (
    SELECT job_id FROM head
    WHERE turn <= free
    ORDER BY (usage + turn) / weight, job_id
    LIMIT :slots
)
UPDATE job SET
    state = 'leased',
    attempt = attempt + 1,
    fence = fence + 1,
    lease_worker = :worker_id,
    lease_until = nexa_now() + :lease_us,
    started_at = NULL,
    updated_at = nexa_now()
FROM chosen
WHERE job.id = chosen.job_id AND job.state = 'ready'
RETURNING id, tenant_id, job_type, fence, attempt, lease_until, rank
