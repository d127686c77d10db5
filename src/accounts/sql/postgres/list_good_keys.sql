-- SPDX-License-Identifier: Apache-2.0
--
-- Every project's keys that are good now and hold the scope.
SELECT id, project_id, sha256, expires_at
FROM api_key
WHERE revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > nexa_now())
    AND EXISTS (SELECT 1 FROM jsonb_array_elements_text(scopes::jsonb) AS held (scope) WHERE held.scope = :scope)
ORDER BY id
