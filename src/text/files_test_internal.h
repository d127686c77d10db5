// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

namespace nexa::text::testing {

/// All bytes of a file; tests only. Empty if it cannot be read.
inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// A file that lies in the module, by its path from the root of the source tree.
inline std::string read_own_file(const std::string& name) {
    return read_file(std::filesystem::path("src/text/testdata") / name);
}

/// A file of the folder in NEXA_TEST_DATA; nothing where that is not set or the file is not there.
inline std::optional<std::filesystem::path> shared_file(const std::string& name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): tests start no thread before
    const char* const folder = std::getenv("NEXA_TEST_DATA");
    if (folder == nullptr) {
        return std::nullopt;
    }
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    return std::filesystem::exists(path) ? std::optional(path) : std::nullopt;
}

}  // namespace nexa::text::testing
