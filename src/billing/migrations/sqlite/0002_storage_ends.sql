-- SPDX-License-Identifier: Apache-2.0
--
-- When stored bytes were deleted, and their cost ceased to grow.

ALTER TABLE usage_record ADD COLUMN ends_at INTEGER;
