// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"

namespace nexa::protocol {

/// A table of the database.
struct TableCount {
    static constexpr std::string_view kName = "TableCount";
    std::string table;
    std::int64_t rows = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("table", &TableCount::table, "Its name"),
            field("rows", &TableCount::rows, "How many it has"),
        };
    }
};

/// What a backup says of itself in `backup.json`, which is written last: a folder without it is no
/// backup.
struct BackupInfo {
    static constexpr std::string_view kName = "BackupInfo";
    std::string version;
    std::string taken_at;
    std::string storage_url;
    std::int64_t blobs = 0;
    std::int64_t blob_bytes = 0;
    std::vector<TableCount> tables;

    static constexpr auto fields() {
        return std::tuple{
            field("version", &BackupInfo::version, "Of the program that took it"),
            field(
                "taken_at", &BackupInfo::taken_at, "When it began; the database is of this moment"
            ),
            field(
                "storage_url", &BackupInfo::storage_url, "Bucket that holds the blobs; empty: here"
            ),
            field("blobs", &BackupInfo::blobs, "Files of artifacts in the backup"),
            field("blob_bytes", &BackupInfo::blob_bytes, "Their bytes").unit("bytes"),
            field("tables", &BackupInfo::tables, "What the database holds"),
        };
    }
};

/// What `nexad --migrate` says.
struct MigrationReport {
    static constexpr std::string_view kName = "MigrationReport";
    std::vector<TableCount> tables;

    static constexpr auto fields() {
        return std::tuple{field("tables", &MigrationReport::tables, "What was copied").required()};
    }
};

}  // namespace nexa::protocol
