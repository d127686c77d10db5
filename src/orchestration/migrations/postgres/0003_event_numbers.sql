-- SPDX-License-Identifier: Apache-2.0
--
-- How many events of an attempt are stored, by the worker's own count: a report that is sent again brings none twice.

ALTER TABLE lease ADD COLUMN events_taken bigint NOT NULL DEFAULT 0;
