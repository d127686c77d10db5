-- SPDX-License-Identifier: Apache-2.0
--
-- Jobs that wait for a gateway of this region.
SELECT d.job_id, d.id AS deployment_id
FROM deployment AS d
JOIN job AS j ON j.id = d.job_id
WHERE d.region = :region AND d.state = 'loading' AND j.state = 'activating'
ORDER BY d.sequence
