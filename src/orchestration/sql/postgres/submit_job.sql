-- SPDX-License-Identifier: Apache-2.0
INSERT INTO job (
    id, tenant_id, job_type, pool, state, priority, rank, run_at, gpus, memory_bytes, max_failures,
    created_at, updated_at
)
VALUES (
    :job_id, :tenant_id, :job_type, :pool, 'ready', :priority, nexa_now() + :priority::bigint * 600000000, nexa_now(),
    :gpus, :memory_bytes, :max_failures, nexa_now(), nexa_now()
)
