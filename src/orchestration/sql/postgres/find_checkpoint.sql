-- SPDX-License-Identifier: Apache-2.0
--
-- The newest model of that name.
SELECT id
FROM artifact
WHERE tenant_id = :tenant_id AND kind = 'checkpoint' AND name = :name AND deleted_at IS NULL
ORDER BY sequence DESC
LIMIT 1
