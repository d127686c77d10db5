-- SPDX-License-Identifier: Apache-2.0
SELECT user_id, project_id FROM member WHERE role = 'owner' ORDER BY project_id, user_id LIMIT 1
