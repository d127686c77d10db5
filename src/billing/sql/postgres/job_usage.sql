-- SPDX-License-Identifier: Apache-2.0
SELECT meter, quantity FROM usage_record WHERE job_id = :job_id ORDER BY meter
