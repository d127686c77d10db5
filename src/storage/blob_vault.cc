// SPDX-License-Identifier: Apache-2.0
#include "storage/blob_vault.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/check.h"
#include "net/url.h"

namespace nexa::storage {
namespace {

constexpr std::string_view kPrefix = "blobs/sha256/";
/// The most that stores take in one request.
constexpr Bytes kLinkBytesMax{std::int64_t{5} << 30};
constexpr Bytes kPartBytes{std::int64_t{16} << 20};

class DiskIntake final : public BlobIntake {
public:
    DiskIntake(BlobUploads& uploads, std::string token)
        : uploads_(uploads), token_(std::move(token)) {}
    ~DiskIntake() override {
        if (!has_ended_) {
            static_cast<void>(uploads_.abort(token_));  // else it is dropped when it is idle
        }
    }

    Status append(std::string_view piece) override {
        TRY(offset_, uploads_.append(token_, offset_, piece));
        return {};
    }
    Result<BlobInfo> commit() override {
        auto blob = uploads_.commit(token_);
        has_ended_ = blob.has_value();
        return blob;
    }

private:
    BlobUploads& uploads_;
    std::string token_;
    Bytes offset_;
    bool has_ended_ = false;
};

class DiskVault final : public BlobVault {
public:
    DiskVault(BlobStore& blobs, BlobUploads& uploads) : blobs_(blobs), uploads_(uploads) {}

    Result<Bytes> size(const Sha256Digest& digest) override { return blobs_.size(digest); }
    Result<BlobWay> way_to(const Sha256Digest& digest, const std::string& /*name*/) override {
        TRY(auto path, blobs_.path_of(digest));
        return BlobWay{.file = std::move(path)};
    }
    Result<std::optional<PresignedRequest>> link_for(const Sha256Digest&, Bytes) override {
        return std::nullopt;
    }
    Result<std::unique_ptr<BlobIntake>> take_in(const Sha256Digest& digest, Bytes size) override {
        TRY(std::string token, uploads_.begin(digest, size));
        return std::make_unique<DiskIntake>(uploads_, std::move(token));
    }
    Status list(const std::function<bool(const BlobInfo&)>& visit) override {
        return blobs_.list(visit);
    }
    Status remove(const Sha256Digest& digest) override { return blobs_.remove(digest); }

private:
    BlobStore& blobs_;
    BlobUploads& uploads_;
};

/// Keeps a part in memory until it is full; what fits into one is put in one request, after it was
/// hashed.
class BucketIntake final : public BlobIntake {
public:
    BucketIntake(Storage& bucket, const BlobInfo& blob) : bucket_(bucket), blob_(blob) {
        // 10,000 parts must do for any size.
        constexpr std::int64_t kPartsWanted = kPartsMax - 1000;
        part_bytes_ = static_cast<std::size_t>(
            std::max(kPartBytes.value(), blob.size.value() / kPartsWanted + 1)
        );
    }
    ~BucketIntake() override {
        if (upload_) {
            static_cast<void>(bucket_.abort_upload(*upload_));
        }
    }

    Status append(std::string_view piece) override {
        if (static_cast<std::int64_t>(piece.size()) >
            blob_.size.value() - static_cast<std::int64_t>(hash_.byte_count())) {
            return Error::invalid_argument(
                "{} was announced with {} bytes, but more came", blob_.digest, blob_.size.value()
            );
        }
        hash_.update(piece);
        held_ += piece;
        while (held_.size() > part_bytes_) {
            TRY_STATUS(send_part(std::string_view(held_).substr(0, part_bytes_)));
            held_.erase(0, part_bytes_);
        }
        return {};
    }

    Result<BlobInfo> commit() override {
        const auto got = static_cast<std::int64_t>(hash_.byte_count());
        if (got != blob_.size.value()) {
            return Error::conflict(
                "{} has {} of its {} bytes", blob_.digest, got, blob_.size.value()
            );
        }
        const Sha256Digest actual = hash_.digest();
        if (actual != blob_.digest) {
            return Error::data_loss("uploaded bytes hash to {}, not to {}", actual, blob_.digest)
                .hint("begin the upload again");
        }
        if (!upload_) {
            TRY_STATUS(bucket_.put(blob_key(blob_.digest), held_));
            return blob_;
        }
        TRY_STATUS(send_part(held_));
        TRY_STATUS(bucket_.complete_upload(*upload_, parts_));
        upload_.reset();
        return blob_;
    }

private:
    Status send_part(std::string_view bytes) {
        if (!upload_) {
            TRY(upload_, bucket_.begin_upload(blob_key(blob_.digest)));
        }
        const int number = static_cast<int>(parts_.size()) + 1;
        TRY(UploadedPart part, bucket_.put_part(*upload_, number, bytes));
        parts_.push_back(std::move(part));
        return {};
    }

    Storage& bucket_;
    BlobInfo blob_;
    std::size_t part_bytes_ = 0;
    Sha256 hash_;
    std::string held_;
    std::optional<PartUpload> upload_;
    std::vector<UploadedPart> parts_;
};

class BucketVault final : public BlobVault {
public:
    explicit BucketVault(Storage& bucket) : bucket_(bucket) { NEXA_CHECK(bucket.has_links()); }

    Result<Bytes> size(const Sha256Digest& digest) override {
        const auto object = bucket_.stat(blob_key(digest));
        if (!object && object.error().code == ErrorCode::kNotFound) {
            return Error::not_found("no blob {}", digest);
        }
        TRY_STATUS(object);
        return object->size;
    }
    Result<BlobWay> way_to(const Sha256Digest& digest, const std::string& name) override {
        // A link to nothing would end in the store's own words instead of ours.
        TRY_STATUS(size(digest));
        GetLink link{.key = blob_key(digest)};
        if (!name.empty()) {
            link.content_disposition =
                fmt::format("attachment; filename*=UTF-8''{}", net::percent_encode(name));
        }
        TRY(PresignedRequest request, bucket_.presign(link));
        return BlobWay{.link = std::move(request.url)};
    }
    Result<std::optional<PresignedRequest>> link_for(const Sha256Digest& digest, Bytes size)
        override {
        if (size > kLinkBytesMax) {
            return std::nullopt;
        }
        TRY(const bool checks, bucket_.checks_content());
        if (!checks) {
            return std::nullopt;
        }
        TRY(PresignedRequest link,
            bucket_.presign(PutLink{.key = blob_key(digest), .content = digest}));
        return link;
    }
    Result<std::unique_ptr<BlobIntake>> take_in(const Sha256Digest& digest, Bytes size) override {
        if (size.value() < 0) {
            return Error::invalid_argument("a blob cannot have {} bytes", size.value()).at("size");
        }
        return std::make_unique<BucketIntake>(bucket_, BlobInfo{digest, size});
    }
    Status list(const std::function<bool(const BlobInfo&)>& visit) override {
        return bucket_.list(kPrefix, [&](const ObjectInfo& object) {
            const auto digest = Sha256Digest::parse(object.key.substr(object.key.rfind('/') + 1));
            // What others have put there is no blob.
            return !digest || object.key != blob_key(*digest) || visit({*digest, object.size});
        });
    }
    Status remove(const Sha256Digest& digest) override {
        TRY_STATUS(size(digest));
        return bucket_.remove(blob_key(digest));
    }

private:
    Storage& bucket_;
};

}  // namespace

std::string blob_key(const Sha256Digest& digest) {
    const std::string hex = digest.hex();
    return fmt::format("{}{}/{}", kPrefix, hex.substr(0, 2), hex);
}

std::unique_ptr<BlobVault> make_disk_vault(BlobStore& blobs, BlobUploads& uploads) {
    return std::make_unique<DiskVault>(blobs, uploads);
}

std::unique_ptr<BlobVault> make_bucket_vault(Storage& bucket) {
    return std::make_unique<BucketVault>(bucket);
}

}  // namespace nexa::storage
