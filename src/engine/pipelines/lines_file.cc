// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/lines_file.h"

#include <utility>

namespace nexa::pipelines {

LinesFile::LinesFile(std::filesystem::path path)
    : path_(std::move(path)), file_(path_, std::ios::binary) {}

Result<LinesFile> LinesFile::create(std::filesystem::path path) {
    LinesFile lines(std::move(path));
    TRY_STATUS(lines.check());
    return lines;
}

Status LinesFile::add(std::string_view line) {
    file_ << line << '\n';
    return check();
}

Status LinesFile::finish() {
    file_.close();
    return check();
}

Status LinesFile::check() const {
    if (!file_) {
        return Error::unavailable("cannot write {}: is the disk full?", path_.string());
    }
    return {};
}

}  // namespace nexa::pipelines
