-- SPDX-License-Identifier: Apache-2.0
--
-- How many ready jobs of a pool such a worker could take, were there enough of them: no more of a tenant than it may
-- still run.
SELECT coalesce(
    sum(max(0, min(r.jobs, t.max_running - (SELECT count(*) FROM job WHERE state = 'leased' AND tenant_id = t.id)))),
    0
) AS jobs
FROM (
    SELECT tenant_id, count(*) AS jobs
    FROM job
    WHERE state = 'ready' AND pool = :pool AND gpus <= :gpus AND memory_bytes <= :memory_bytes
    GROUP BY tenant_id
) AS r
JOIN tenant AS t ON t.id = r.tenant_id
