-- SPDX-License-Identifier: Apache-2.0
UPDATE job SET state = 'ready', updated_at = nexa_now()
WHERE id IN (SELECT id FROM job WHERE state = 'scheduled' AND run_at <= nexa_now() ORDER BY run_at LIMIT :limit)
RETURNING id
