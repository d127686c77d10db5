-- SPDX-License-Identifier: Apache-2.0
--
-- Every worker that a job may come to, whoever registered it: workers serve all projects.
SELECT
    w.pool, w.profile, w.membership, w.draining, w.problems, w.last_seen_at,
    (SELECT count(*) FROM job WHERE state = 'leased' AND lease_worker = w.id) AS held
FROM worker AS w
WHERE w.membership <> 'revoked'
ORDER BY w.id
LIMIT :limit
