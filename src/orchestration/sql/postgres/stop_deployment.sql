-- SPDX-License-Identifier: Apache-2.0
--
-- Only what is live. One that is loading belongs to its job, which can be cancelled.
UPDATE deployment SET state = 'stopped', updated_at = nexa_now()
WHERE id = :deployment_id AND tenant_id = :tenant_id AND state = 'ready'
