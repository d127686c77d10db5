-- SPDX-License-Identifier: Apache-2.0
INSERT INTO tenant (id, usage_at) VALUES (:tenant_id, nexa_now()) ON CONFLICT DO NOTHING
