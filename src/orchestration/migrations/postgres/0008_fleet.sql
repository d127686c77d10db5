-- SPDX-License-Identifier: Apache-2.0
--
-- What keeps a worker from taking jobs, as it says itself; which coordinator scales a pool, and what it last found.

ALTER TABLE worker ADD COLUMN problems text COLLATE "C" NOT NULL DEFAULT '[]';  -- JSON array; empty: it is well

CREATE TABLE scaling (
    pool text COLLATE "C" PRIMARY KEY,
    holder text COLLATE "C" NOT NULL,
    held_until bigint NOT NULL,              -- then any coordinator may take it
    view text COLLATE "C" NOT NULL           -- JSON for people; empty: nothing found yet
);
