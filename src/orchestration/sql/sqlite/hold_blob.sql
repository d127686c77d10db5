-- SPDX-License-Identifier: Apache-2.0
INSERT INTO blob_holder (digest, tenant_id) VALUES (:digest, :tenant_id) ON CONFLICT DO NOTHING
