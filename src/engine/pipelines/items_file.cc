// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/benchmarks.h"

namespace nexa::pipelines {

Result<ItemsFile> ItemsFile::create(std::filesystem::path path) {
    ItemsFile items(std::move(path));
    items.file_.open(items.path_, std::ios::binary);
    TRY_STATUS(items.check());
    return items;
}

Status ItemsFile::add(const std::string& line) {
    file_ << line << '\n';
    return check();
}

Status ItemsFile::finish() {
    file_.close();
    return check();
}

Status ItemsFile::check() const {
    if (!file_) {
        return Error::unavailable("cannot write {}: is the disk full?", path_.string());
    }
    return {};
}

}  // namespace nexa::pipelines
