-- SPDX-License-Identifier: Apache-2.0
--
-- The newest of some kinds: among these is what somebody has just mistyped. Without the manifests, which may be large.
SELECT id, name
FROM artifact
WHERE tenant_id = :tenant_id
    AND deleted_at IS NULL
    AND (kind = 'checkpoint') = :models::boolean
ORDER BY sequence DESC
LIMIT 200
