-- SPDX-License-Identifier: Apache-2.0
--
-- No row: the name is taken.
INSERT INTO project (id, name, created_at) VALUES (:project_id, :name, nexa_now())
ON CONFLICT DO NOTHING
RETURNING created_at
