-- SPDX-License-Identifier: Apache-2.0
--
-- Before it is deleted: here the writing transaction already keeps all others out.
SELECT id FROM artifact WHERE id = :artifact_id AND tenant_id = :tenant_id
