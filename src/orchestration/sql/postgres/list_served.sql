-- SPDX-License-Identifier: Apache-2.0
--
-- What the gateways of a region are told of, oldest first.
SELECT d.id, d.name, d.tenant_id, d.created_at, a.root_digest, a.manifest
FROM deployment AS d
JOIN artifact AS a ON a.id = d.id
WHERE d.region = :region AND d.state IN ('loading', 'ready')
ORDER BY d.sequence
