-- SPDX-License-Identifier: Apache-2.0
--
-- Zero rows: a live deployment of this project and region has the name.
INSERT INTO deployment (id, tenant_id, job_id, name, region, state, result, usage, created_at, updated_at)
VALUES (:deployment_id, :tenant_id, :job_id, :name, :region, 'loading', :result, :usage, nexa_now(), nexa_now())
ON CONFLICT (tenant_id, region, name) WHERE state IN ('loading', 'ready') DO NOTHING
RETURNING id
