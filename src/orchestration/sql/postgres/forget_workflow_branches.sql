-- SPDX-License-Identifier: Apache-2.0
--
-- A step that runs again may have fewer.
DELETE FROM workflow_branch WHERE workflow_id = :workflow_id AND step = :step AND branch >= :from
