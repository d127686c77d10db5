-- SPDX-License-Identifier: Apache-2.0
SELECT digest FROM blob_holder WHERE digest = :digest AND tenant_id = :tenant_id
