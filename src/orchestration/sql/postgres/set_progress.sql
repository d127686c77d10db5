-- SPDX-License-Identifier: Apache-2.0
UPDATE job_detail SET progress = :progress WHERE job_id = :job_id
