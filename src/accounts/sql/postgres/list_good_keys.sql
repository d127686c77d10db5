-- SPDX-License-Identifier: Apache-2.0
--
-- Every project's keys that are good now and hold the scope; what their users' roles leave of it is not asked here.
SELECT k.id, k.project_id, k.sha256, k.expires_at, m.role, u.is_admin
FROM api_key AS k
JOIN member AS m ON m.project_id = k.project_id AND m.user_id = k.user_id
JOIN "user" AS u ON u.id = k.user_id AND u.status = 'active'
WHERE k.revoked_at IS NULL
    AND (k.expires_at IS NULL OR k.expires_at > nexa_now())
    AND EXISTS (SELECT 1 FROM jsonb_array_elements_text(k.scopes::jsonb) AS held (scope) WHERE held.scope = :scope)
ORDER BY k.id
