-- SPDX-License-Identifier: Apache-2.0
--
-- Projects that used something before the end of a month.
SELECT tenant_id FROM usage_record WHERE at < :until AND tenant_id > :after GROUP BY tenant_id ORDER BY tenant_id LIMIT :limit
