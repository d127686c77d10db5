-- SPDX-License-Identifier: Apache-2.0
--
-- Newest first; a NULL :project_id is the whole installation.
SELECT sequence, at, action, user_id, key_id, project_id, target, address, details
FROM audit_entry
WHERE sequence < :before
    AND (:project_id::text IS NULL OR project_id = :project_id)
    AND (:action::text IS NULL OR action = :action)
ORDER BY sequence DESC
LIMIT :limit
