// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/space_account_internal.h"
#include "storage/storage.h"

namespace nexa::storage {

/// Objects as files of a folder: key "a/b" is the file a/b. Symbolic links are never followed below
/// the root and never listed, so nothing outside the root is read or written through it. Folders
/// that become empty are removed. ".nexa-tmp" holds what is being written, so no key starts with
/// it.
class FileStorage final : public Storage {
public:
    static Result<std::unique_ptr<Storage>> open(
        const std::filesystem::path& root, const StorageOptions& options
    );
    FileStorage(UniqueFd root_fd, const std::filesystem::path& root, const StorageOptions& options);

    using Storage::put;
    Status put(std::string_view key, ByteSource& source) override;
    Status stream(std::string_view key, const ByteSink& sink) override;
    Result<ObjectInfo> stat(std::string_view key) override;
    Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit)
        override;
    Status remove(std::string_view key) override;
    std::string uri() const override;

private:
    UniqueFd root_fd_;
    std::filesystem::path root_;
    SpaceAccount space_;
};

}  // namespace nexa::storage
