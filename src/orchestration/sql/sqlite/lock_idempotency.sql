-- SPDX-License-Identifier: Apache-2.0
--
-- Before a key is looked up that may be new: here the writing transaction already keeps all others out.
SELECT :tenant_id || '/' || :key AS locked
