-- SPDX-License-Identifier: Apache-2.0
INSERT INTO project (id, name, created_at) VALUES (:project_id, :name, nexa_now())
