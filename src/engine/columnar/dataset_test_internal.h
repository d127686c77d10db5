// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/columnar/dataset_reader.h"
#include "fakes/temp_folder.h"

namespace nexa::columnar {

/// A dataset's folder of the test's own, and short ways to read it.
class DatasetTest : public ::testing::Test {
protected:
    struct Read {
        std::vector<SourceRow> rows;
        std::vector<BadRow> bad;
        RowFormat format = RowFormat::kAuto;
    };

    void write(const std::string& name, std::string_view text) const {
        const std::filesystem::path path = folder.path() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    Result<Read> read(ReaderOptions options = {}) const { return read_at(folder.path(), options); }

    static Result<Read> read_at(const std::filesystem::path& path, ReaderOptions options) {
        Read all;
        options.report = [&](const BadRow& bad) { all.bad.push_back(bad); };
        auto reader = DatasetReader::open(path, options);
        if (!reader) {
            return std::move(reader).error();
        }
        all.format = reader->format();
        while (true) {
            auto row = reader->next();
            if (!row) {
                return std::move(row).error();
            }
            if (!*row) {
                return all;
            }
            all.rows.push_back(std::move(**row));
        }
    }

    Result<Read> read_reporting() const { return read({.on_bad_row = OnBadRow::kReport}); }

    /// The error of a dataset of one file.
    Error refused(const std::string& name, std::string_view text) const {
        write(name, text);
        auto all = read();
        std::filesystem::remove_all(folder.path() / name);
        return all ? Error::internal("it was read") : std::move(all).error();
    }

    fakes::TempFolder folder;
};

}  // namespace nexa::columnar
