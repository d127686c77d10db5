-- SPDX-License-Identifier: Apache-2.0
SELECT DISTINCT workflow_id FROM workflow_branch WHERE has_news ORDER BY workflow_id
