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
/// that become empty are removed. ".nexa-tmp" holds what is being written and ".nexa-uploads" what
/// comes in parts, so no key starts with them.
class FileStorage final : public Storage {
public:
    static Result<std::unique_ptr<Storage>> open(
        const std::filesystem::path& root, const StorageOptions& options
    );
    FileStorage(UniqueFd root_fd, const std::filesystem::path& root, const StorageOptions& options);

    using Storage::complete_upload;
    using Storage::put;
    using Storage::stream;
    Status put(std::string_view key, ByteSource& source, const PutOptions& options) override;
    Status stream(std::string_view key, const ByteRange& range, const ByteSink& sink) override;
    Result<ObjectInfo> stat(std::string_view key) override;
    Status list(std::string_view prefix, const std::function<bool(const ObjectInfo&)>& visit)
        override;
    Status remove(std::string_view key) override;
    Result<PartUpload> begin_upload(std::string_view key) override;
    Result<UploadedPart> put_part(const PartUpload& upload, int number, std::string_view bytes)
        override;
    Result<std::vector<UploadedPart>> list_parts(const PartUpload& upload) override;
    Status complete_upload(
        const PartUpload& upload, std::span<const UploadedPart> parts, const PutOptions& options
    ) override;
    Status abort_upload(const PartUpload& upload) override;
    Result<std::vector<PartUpload>> list_uploads() override;
    Result<PresignedRequest> presign(const GetLink& link) override;
    Result<PresignedRequest> presign(const PutLink& link) override;
    bool has_links() const override { return false; }
    Result<bool> checks_content() override { return false; }
    std::string uri() const override;

private:
    /// Errors: kInvalidArgument (check_key(), or a name of ours).
    static Status check(std::string_view key);
    /// The folder of an upload that is under way for that key.
    Result<std::filesystem::path> folder_of(const PartUpload& upload) const;

    UniqueFd root_fd_;
    std::filesystem::path root_;
    SpaceAccount space_;
};

}  // namespace nexa::storage
