-- SPDX-License-Identifier: Apache-2.0
--
-- How often a key was made or revoked: who keeps a copy of the keys sees by it that the copy is old.

CREATE TABLE key_serial (
    only_row bigint PRIMARY KEY CHECK (only_row = 1),
    serial bigint NOT NULL
);

INSERT INTO key_serial (only_row, serial) VALUES (1, 1);
