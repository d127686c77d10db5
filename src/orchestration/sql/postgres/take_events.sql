-- SPDX-License-Identifier: Apache-2.0
UPDATE lease SET events_taken = greatest(events_taken, :last) WHERE job_id = :job_id AND fence = :fence
