// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "storage/bucket_client_internal.h"
#include "storage/storage.h"

namespace nexa::storage {

/// Objects in a bucket of a store that speaks the S3 protocol, below a prefix.
class BucketStorage final : public Storage {
public:
    /// `prefix` is empty or ends in a slash.
    BucketStorage(BucketPlace place, std::string prefix, BucketOptions options);

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
    bool has_links() const override { return true; }
    Result<bool> checks_content() override;
    std::string uri() const override;

private:
    enum class Checking : std::uint8_t { kUnknown, kYes, kNo };

    bool is_amazon() const { return client_.place().scope.dialect == SigningDialect::kAmazon; }
    /// The whole key below the bucket. Errors: kInvalidArgument.
    Result<std::string> whole_key(std::string_view key) const;
    Status put_whole(const std::string& key, std::string_view bytes, const PutOptions& options);
    Status put_in_parts(
        std::string_view key, std::string first, ByteSource& source, const PutOptions& options
    );
    void add_condition(StoreRequest& request, const PutOptions& options) const;
    /// Whether the object is there with exactly these bytes, by its checksum.
    bool is_there(const std::string& key, const Sha256Digest& digest);
    Result<bool> ask_whether_it_checks();

    BucketClient client_;
    std::string prefix_;
    std::atomic<bool> takes_checksums_;
    std::atomic<Checking> checking_ = Checking::kUnknown;
};

/// `rest` is what follows "s3://" or "gs://".
Result<std::unique_ptr<Storage>> open_amazon_bucket(
    std::string_view rest, const StorageOptions& options
);
Result<std::unique_ptr<Storage>> open_google_bucket(
    std::string_view rest, const StorageOptions& options
);

}  // namespace nexa::storage
