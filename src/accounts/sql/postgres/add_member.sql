-- SPDX-License-Identifier: Apache-2.0
INSERT INTO member (project_id, user_id, role) VALUES (:project_id, :user_id, :role)
