-- SPDX-License-Identifier: Apache-2.0
--
-- When what costs by time came to its end: stored bytes were deleted, a deployment was stopped.

ALTER TABLE usage_record ADD COLUMN ends_at bigint;
