-- SPDX-License-Identifier: Apache-2.0
INSERT INTO audit_entry (at, action, user_id, key_id, project_id, target, address, details)
VALUES (nexa_now(), :action, :user_id, :key_id, :project_id, :target, :address, :details)
