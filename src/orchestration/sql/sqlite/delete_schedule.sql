-- SPDX-License-Identifier: Apache-2.0
DELETE FROM schedule WHERE id = :schedule_id AND tenant_id = :tenant_id
