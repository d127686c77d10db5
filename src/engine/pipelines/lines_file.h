// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

#include "core/result.h"

namespace nexa::pipelines {

/// A new file of lines. Blocks on the disk. One thread. Errors of all its functions: kUnavailable,
/// with the path.
class LinesFile {
public:
    static Result<LinesFile> create(std::filesystem::path path);
    /// `line` has no line end.
    Status add(std::string_view line);
    Status finish();

private:
    explicit LinesFile(std::filesystem::path path);
    Status check() const;

    std::filesystem::path path_;
    std::ofstream file_;
};

}  // namespace nexa::pipelines
