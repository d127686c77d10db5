-- SPDX-License-Identifier: Apache-2.0
--
-- What accrues is few rows among very many, and every submission under a budget asks for it: see sum_accruing.sql.

CREATE INDEX usage_accruing ON usage_record (tenant_id, at) WHERE meter IN ('stored_bytes', 'deployments');
