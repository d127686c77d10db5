-- SPDX-License-Identifier: Apache-2.0
--
-- Grants up to :slots leases on ready jobs that fit the offer, fairest tenant first. `queue` finds the tenants that
-- have ready jobs by skipping along the index, `head` takes the first few of each, `chosen` interleaves them:
-- the n-th job of a tenant counts as (its usage + n) / its weight. Touches a few rows, however long the queue.
--
-- Rivals: what another coordinator is granting in this moment still looks ready here but is locked, so it is skipped,
-- and more is chosen than wanted to have something left. MATERIALIZED, lest the planner run `granted` again and
-- again and grant more than :slots. max_running is counted in what is committed: two coordinators that grant at the
-- same moment may together pass it by what they grant.
WITH RECURSIVE queue (tenant_id) AS (
    (SELECT tenant_id FROM job WHERE state = 'ready' AND pool = :pool ORDER BY tenant_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT j.tenant_id FROM job AS j
        WHERE j.state = 'ready' AND j.pool = :pool AND j.tenant_id > queue.tenant_id
        ORDER BY j.tenant_id
        LIMIT 1
    )
    FROM queue
    WHERE queue.tenant_id IS NOT NULL
),
head AS (
    SELECT
        j.id AS job_id,
        t.weight,
        t.usage * power(0.5, (nexa_now() - t.usage_at) / 86400e6::double precision) AS usage,
        row_number() OVER (PARTITION BY t.id ORDER BY j.rank, j.id) AS turn,
        t.max_running - (SELECT count(*) FROM job WHERE state = 'leased' AND tenant_id = t.id) AS free
    FROM queue
    JOIN tenant AS t ON t.id = queue.tenant_id
    CROSS JOIN LATERAL (
        SELECT id, rank FROM job
        WHERE state = 'ready' AND pool = :pool AND tenant_id = t.id
            AND gpus <= :gpus AND memory_bytes <= :memory_bytes
        ORDER BY rank, id
        LIMIT 2 * :slots::bigint + 30
    ) AS j
),
chosen AS (
    SELECT job_id, (usage + turn) / weight AS place FROM head
    WHERE turn <= free
    ORDER BY place, job_id
    LIMIT 2 * :slots::bigint + 30
),
granted AS MATERIALIZED (
    SELECT job.id
    FROM job
    JOIN chosen ON chosen.job_id = job.id
    WHERE job.state = 'ready'
    ORDER BY chosen.place, job.id
    LIMIT :slots::bigint
    FOR UPDATE OF job SKIP LOCKED
)
UPDATE job SET
    state = 'leased',
    attempt = attempt + 1,
    fence = fence + 1,
    lease_worker = :worker_id,
    lease_until = nexa_now() + :lease_us,
    started_at = NULL,
    updated_at = nexa_now()
FROM granted
WHERE job.id = granted.id
RETURNING job.id, tenant_id, job_type, fence, attempt, lease_until, rank
