-- SPDX-License-Identifier: Apache-2.0
--
-- How many jobs of its project, up to 1,000, are claimed before a job; before one that would be submitted now if :job_id is NULL.
SELECT
    (
        SELECT count(*) FROM (
            SELECT 1 FROM job AS other
            WHERE other.state = 'ready' AND other.pool = :pool AND other.tenant_id = :tenant_id
                AND (other.rank, other.id) < (
                    coalesce(
                        (SELECT rank FROM job WHERE id = :job_id),
                        nexa_now() + :priority * 600000000
                    ),
                    coalesce(:job_id, '~')
                )
            LIMIT 1000
        ) AS before_it
    ) AS ahead,
    (SELECT count(*) FROM job WHERE state = 'leased' AND tenant_id = :tenant_id) AS running,
    (SELECT max_running FROM tenant WHERE id = :tenant_id) AS max_running
