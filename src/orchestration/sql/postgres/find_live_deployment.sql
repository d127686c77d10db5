-- SPDX-License-Identifier: Apache-2.0
SELECT id, job_id FROM deployment
WHERE tenant_id = :tenant_id AND region = :region AND name = :name AND state IN ('loading', 'ready')
