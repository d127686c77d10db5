-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE IF NOT EXISTS nexa_migration (
    module TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (module, version)
) STRICT, WITHOUT ROWID
