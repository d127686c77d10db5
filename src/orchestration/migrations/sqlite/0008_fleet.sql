-- SPDX-License-Identifier: Apache-2.0
--
-- What keeps a worker from taking jobs, as it says itself; which coordinator scales a pool, and what it last found.

ALTER TABLE worker ADD COLUMN problems TEXT NOT NULL DEFAULT '[]';  -- JSON array; empty: it is well

CREATE TABLE scaling (
    pool TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    held_until INTEGER NOT NULL,              -- then any coordinator may take it
    view TEXT NOT NULL                        -- JSON for people; empty: nothing found yet
) STRICT;
