-- SPDX-License-Identifier: Apache-2.0
--
-- Until the transaction ends, nobody else closes this project's months or gives it money back.
INSERT INTO billing_account (tenant_id) VALUES (:tenant_id)
ON CONFLICT (tenant_id) DO UPDATE SET revision = billing_account.revision + 1
