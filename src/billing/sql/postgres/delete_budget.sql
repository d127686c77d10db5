-- SPDX-License-Identifier: Apache-2.0
DELETE FROM billing_budget WHERE tenant_id = :tenant_id AND key_id = :key_id
