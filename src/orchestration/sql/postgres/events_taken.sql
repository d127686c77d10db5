-- SPDX-License-Identifier: Apache-2.0
SELECT events_taken FROM lease WHERE job_id = :job_id AND fence = :fence
