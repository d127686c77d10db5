-- SPDX-License-Identifier: Apache-2.0
CREATE TABLE IF NOT EXISTS nexa_migration (
    module text COLLATE "C" NOT NULL,
    version bigint NOT NULL CHECK (version >= 1),
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at bigint NOT NULL,
    PRIMARY KEY (module, version)
)
