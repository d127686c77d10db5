-- SPDX-License-Identifier: Apache-2.0
SELECT 1 AS found FROM project WHERE id = :project_id
