// SPDX-License-Identifier: Apache-2.0
#include "storage/blob_store.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/os_error.h"
#include "storage/space_account_internal.h"
#include "storage/temp_file_internal.h"

namespace nexa::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPieceSize = std::size_t{1} << 20U;
constexpr unsigned kBlobMode = 0440;  // nobody writes to a blob
constexpr mode_t kFolderMode = 0750;
constexpr const char* kBlobs = "blobs/sha256";
constexpr const char* kTemp = "blobs/tmp";
constexpr const char* kUploads = "blobs/uploads";
constexpr const char* kQuarantine = "blobs/quarantine";

Status make_folder(const fs::path& path) {
    if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) {
        return os_error(errno, fmt::format("make folder '{}'", path.native()));
    }
    return {};
}

Status make_layout(const fs::path& root) {
    TRY_STATUS(make_folders(root));
    for (const char* folder : {"blobs", kBlobs, kTemp, kUploads, kQuarantine}) {
        TRY_STATUS(make_folder(root / folder));
    }
    for (const char* folder : {"blobs", ""}) {
        TRY_STATUS(flush_folder(root / folder));
    }
    return {};
}

Error no_blob(const Sha256Digest& digest) {
    return Error::not_found("no blob {}", digest);
}

/// The size of a regular file, if there is one.
std::optional<Bytes> size_at(const fs::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return std::nullopt;
    }
    return Bytes(status.st_size);
}

/// The blobs of one shard, in the order of their digests. Files that are no blobs are passed over.
Result<std::vector<BlobInfo>> blobs_in(const fs::path& shard) {
    std::vector<BlobInfo> blobs;
    std::error_code error;
    for (auto entry = fs::directory_iterator(shard, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const auto digest = Sha256Digest::parse(entry->path().filename().native());
        const std::optional<Bytes> size = size_at(entry->path());
        if (digest && size) {
            blobs.push_back({*digest, *size});
        }
    }
    // A shard is made with its first blob.
    if (error && error != std::errc::no_such_file_or_directory) {
        return os_error(error.value(), fmt::format("list '{}'", shard.native()));
    }
    std::ranges::sort(blobs, {}, &BlobInfo::digest);
    return blobs;
}

/// Hands all bytes of `blob` to `sink` and returns their digest.
Result<Sha256Digest> pour(const BlobReader& blob, const ByteSink& sink) {
    const auto size = static_cast<std::size_t>(blob.info().size.value());
    std::vector<char> room(std::clamp<std::size_t>(size, 1, kPieceSize));
    Sha256 hash;
    for (std::uint64_t offset = 0;;) {
        TRY(const std::size_t got, blob.read_at(offset, room));
        if (got == 0) {
            return hash.digest();
        }
        const std::string_view piece(room.data(), got);
        hash.update(piece);
        TRY_STATUS(sink(piece));
        offset += got;
    }
}

}  // namespace

Result<std::size_t> BlobReader::read_at(std::uint64_t offset, std::span<char> room) const {
    const auto size = static_cast<std::uint64_t>(info_.size.value());
    if (offset >= size) {
        return 0;
    }
    room = room.first(std::min<std::uint64_t>(room.size(), size - offset));
    std::size_t done = 0;
    while (done < room.size()) {
        const ssize_t got = ::pread(
            file_.get(), room.data() + done, room.size() - done, static_cast<off_t>(offset + done)
        );
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return os_error(errno, fmt::format("read blob {}", info_.digest));
        }
        if (got == 0) {
            return Error::data_loss("blob {} has become shorter", info_.digest);
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

BlobStore::BlobStore(fs::path root, const BlobStoreOptions& options)
    : root_(std::move(root)),
      space_(std::make_unique<SpaceAccount>(root_, options.quota, options.reserve)) {}

BlobStore::~BlobStore() = default;

Result<std::unique_ptr<BlobStore>> BlobStore::open(
    const fs::path& root, const BlobStoreOptions& options
) {
    TRY_STATUS(make_layout(root));
    TRY_STATUS(remove_abandoned(root / kTemp));
    std::unique_ptr<BlobStore> store(new BlobStore(root, options));
    if (store->space_->has_quota()) {
        TRY(const Bytes blobs, store->total_bytes());
        TRY(const Bytes uploads, store->bytes_of_uploads());
        store->space_->start_with(blobs + uploads);
    }
    return store;
}

fs::path BlobStore::place_of(const Sha256Digest& digest) const {
    const std::string hex = digest.hex();
    return root_ / kBlobs / hex.substr(0, 2) / hex;
}

Result<BlobInfo> BlobStore::put(ByteSource& source) {
    return put_checked(std::nullopt, source);
}

Result<BlobInfo> BlobStore::put_expected(const Sha256Digest& digest, ByteSource& source) {
    return put_checked(digest, source);
}

Result<BlobInfo> BlobStore::put(std::string_view bytes) {
    const BlobInfo blob{nexa::sha256(bytes), Bytes(static_cast<std::int64_t>(bytes.size()))};
    const fs::path place = place_of(blob.digest);
    if (size_at(place) == blob.size) {
        // Whoever put it may not have come to flushing it yet.
        TRY_STATUS(flush_shard(blob.digest));
        return blob;
    }
    MemorySource source(bytes);
    return put(source);
}

Result<BlobInfo> BlobStore::put_checked(
    const std::optional<Sha256Digest>& expected, ByteSource& source
) {
    TRY(TempFile file, TempFile::create(root_ / kTemp));
    Taken taken(*space_);
    Sha256 hash;
    std::vector<char> room(kPieceSize);
    while (true) {
        TRY(const std::size_t got, source.read(room));
        if (got == 0) {
            break;
        }
        const std::string_view piece(room.data(), got);
        TRY_STATUS(taken.more(Bytes(static_cast<std::int64_t>(got))));
        TRY_STATUS(file.write(piece));
        hash.update(piece);
    }
    const BlobInfo blob{hash.digest(), Bytes(static_cast<std::int64_t>(hash.byte_count()))};
    if (expected && *expected != blob.digest) {
        return Error::data_loss("bytes hash to {}, not to {}", blob.digest, *expected);
    }
    TRY_STATUS(file.finish(kBlobMode));
    TRY(const bool is_new, publish(file.path(), blob));
    if (is_new) {
        taken.keep();
    }
    return blob;
}

Result<bool> BlobStore::publish(const fs::path& path, const BlobInfo& blob) {
    const fs::path place = place_of(blob.digest);
    // A link tells who was first, which a rename does not. The other name goes with the caller's
    // file.
    bool is_new = ::link(path.c_str(), place.c_str()) == 0;
    if (!is_new && errno == ENOENT) {
        TRY_STATUS(make_folder(place.parent_path()));
        is_new = ::link(path.c_str(), place.c_str()) == 0;
    }
    if (!is_new && errno != EEXIST) {
        return os_error(errno, fmt::format("store blob {}", blob.digest));
    }
    if (!is_new && size_at(place) != blob.size) {
        // What lies there is damaged beyond doubt; ours is whole.
        if (auto damaged = open_blob(blob.digest)) {
            quarantine(*damaged);
        }
        if (::link(path.c_str(), place.c_str()) != 0) {
            return os_error(errno, fmt::format("replace damaged blob {}", blob.digest));
        }
        is_new = true;
    }
    TRY_STATUS(flush_shard(blob.digest));
    return is_new;
}

Status BlobStore::flush_shard(const Sha256Digest& digest) {
    const fs::path shard = place_of(digest).parent_path();
    TRY_STATUS(flush_folder(shard));
    // Whoever made the shard, another thread or process, may not have come to flushing its name.
    std::atomic<bool>& is_named = named_shards_[std::to_integer<std::size_t>(digest.bytes[0])];
    if (!is_named) {
        TRY_STATUS(flush_folder(root_ / kBlobs));
        is_named = true;
    }
    return {};
}

Result<BlobReader> BlobStore::open_blob(const Sha256Digest& digest) const {
    UniqueFd file(::open(place_of(digest).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file && errno == ENOENT) {
        return no_blob(digest);
    }
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) {
        return os_error(errno, fmt::format("open blob {}", digest));
    }
    return BlobReader(std::move(file), {digest, Bytes(status.st_size)});
}

Result<std::string> BlobStore::read(const Sha256Digest& digest, Bytes size_max) {
    TRY(const BlobReader blob, open_blob(digest));
    const Bytes size = blob.info().size;
    if (size > size_max) {
        return Error::resource_exhausted(
            "blob {} has {} bytes, more than the {} asked for",
            digest,
            size.value(),
            size_max.value()
        );
    }
    std::string bytes(static_cast<std::size_t>(size.value()), '\0');
    TRY_STATUS(blob.read_at(0, bytes));
    TRY_STATUS(check_digest(blob, nexa::sha256(bytes)));
    return bytes;
}

Status BlobStore::stream(const Sha256Digest& digest, const ByteSink& sink) {
    TRY(const BlobReader blob, open_blob(digest));
    TRY(const Sha256Digest actual, pour(blob, sink));
    return check_digest(blob, actual);
}

Status BlobStore::verify(const Sha256Digest& digest) {
    return stream(digest, [](std::string_view) { return Status(); });
}

Status BlobStore::check_digest(const BlobReader& blob, const Sha256Digest& actual) {
    const Sha256Digest& digest = blob.info().digest;
    if (actual == digest) {
        return {};
    }
    quarantine(blob);
    return Error::data_loss("blob {} is damaged: its bytes hash to {}", digest, actual)
        .hint("it was moved to blobs/quarantine/; put it again from its source");
}

void BlobStore::quarantine(const BlobReader& blob) {
    const fs::path place = place_of(blob.info().digest);
    struct stat opened{};
    struct stat there{};
    // Another reader may have moved it away already, and a good one may lie there now.
    if (::fstat(blob.file_.get(), &opened) != 0 || ::lstat(place.c_str(), &there) != 0 ||
        opened.st_ino != there.st_ino) {
        return;
    }
    if (::rename(place.c_str(), (root_ / kQuarantine / place.filename()).c_str()) == 0) {
        space_->give_back(blob.info().size);
    }
}

Result<Bytes> BlobStore::size(const Sha256Digest& digest) const {
    const std::optional<Bytes> size = size_at(place_of(digest));
    if (!size) {
        return no_blob(digest);
    }
    return *size;
}

Result<fs::path> BlobStore::path_of(const Sha256Digest& digest) const {
    TRY_STATUS(size(digest));
    return place_of(digest);
}

Status BlobStore::remove(const Sha256Digest& digest) {
    const fs::path place = place_of(digest);
    const std::optional<Bytes> size = size_at(place);
    if (!size) {
        return no_blob(digest);
    }
    if (::unlink(place.c_str()) != 0) {
        // Of two removers at once the other was first.
        return errno == ENOENT ? no_blob(digest)
                               : os_error(errno, fmt::format("remove blob {}", digest));
    }
    space_->give_back(*size);
    return flush_shard(digest);
}

Status BlobStore::list(const std::function<bool(const BlobInfo&)>& visit) const {
    for (unsigned shard = 0; shard < 256; ++shard) {
        TRY(const auto blobs, blobs_in(root_ / kBlobs / fmt::format("{:02x}", shard)));
        for (const BlobInfo& blob : blobs) {
            if (!visit(blob)) {
                return {};
            }
        }
    }
    return {};
}

Result<Bytes> BlobStore::total_bytes() const {
    Bytes total;
    TRY_STATUS(list([&](const BlobInfo& blob) {
        total += blob.size;
        return true;
    }));
    return total;
}

Result<Bytes> BlobStore::bytes_of_uploads() const {
    Bytes total;
    std::error_code error;
    for (auto entry = fs::directory_iterator(root_ / kUploads, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        total += size_at(entry->path()).value_or(Bytes(0));
    }
    if (error) {
        return os_error(error.value(), "list uploads");
    }
    return total;
}

}  // namespace nexa::storage
