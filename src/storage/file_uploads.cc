// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/os_error.h"
#include "core/sha256.h"
#include "storage/file_storage_internal.h"
#include "storage/temp_file_internal.h"

// Uploads in parts: .nexa-uploads/<id>/ holds "key" with the object's key, and each part as a file
// "<five digits>-<SHA-256>", so that a part's tag is known without reading it.

namespace nexa::storage {

namespace fs = std::filesystem;

namespace {

constexpr const char* kTemp = ".nexa-tmp";
constexpr const char* kUploads = ".nexa-uploads";
constexpr const char* kKeyFile = "key";
constexpr std::size_t kIdLength = 6;  // of mkdtemp()
constexpr std::size_t kNumberLength = 5;
constexpr unsigned kPartMode = 0600;

Error no_upload(const PartUpload& upload) {
    return Error::not_found("no upload of '{}' is under way under that id", upload.key);
}

/// Nothing but what mkdtemp() makes, so that an id leads nowhere else.
bool is_upload_id(std::string_view id) {
    return id.size() == kIdLength && std::ranges::all_of(id, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           });
}

Timestamp modified_at(const fs::path& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        return {};
    }
    return Timestamp(
        std::chrono::seconds(status.st_mtim.tv_sec) +
        std::chrono::microseconds(status.st_mtim.tv_nsec / 1000)
    );
}

std::string part_name(const UploadedPart& part) {
    return fmt::format("{:05}-{}", part.number, part.tag);
}

std::optional<UploadedPart> part_of(const fs::path& path) {
    const std::string name = path.filename().native();
    if (name.size() <= kNumberLength + 1 || name[kNumberLength] != '-') {
        return std::nullopt;
    }
    int number = 0;
    const char* const end = name.data() + kNumberLength;
    const auto [stop, error] = std::from_chars(name.data(), end, number);
    std::error_code failed;
    const std::uintmax_t size = fs::file_size(path, failed);
    if (error != std::errc() || stop != end || failed) {
        return std::nullopt;
    }
    return UploadedPart{
        .number = number,
        .size = Bytes(static_cast<std::int64_t>(size)),
        .tag = name.substr(kNumberLength + 1),
    };
}

Result<std::vector<UploadedPart>> parts_in(const fs::path& folder) {
    std::vector<UploadedPart> parts;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        if (auto part = part_of(entry->path())) {
            parts.push_back(*std::move(part));
        }
    }
    if (error) {
        return os_error(error.value(), "list the parts of an upload");
    }
    std::ranges::sort(parts, {}, &UploadedPart::number);
    return parts;
}

/// The parts' bytes one after the other.
class PartsSource final : public ByteSource {
public:
    PartsSource(fs::path folder, std::span<const UploadedPart> parts)
        : folder_(std::move(folder)), rest_(parts) {}

    Result<std::size_t> read(std::span<char> room) override {
        while (true) {
            if (open_ != nullptr) {
                TRY(const std::size_t got, open_->read(room));
                if (got > 0) {
                    return got;
                }
                open_ = nullptr;
            }
            if (rest_.empty()) {
                return 0;
            }
            TRY(open_, FileSource::open(folder_ / part_name(rest_.front())));
            rest_ = rest_.subspan(1);
        }
    }

private:
    fs::path folder_;
    std::span<const UploadedPart> rest_;
    std::unique_ptr<FileSource> open_;
};

}  // namespace

Result<PartUpload> FileStorage::begin_upload(std::string_view key) {
    TRY_STATUS(check(key));
    TRY_STATUS(make_folders(root_ / kUploads));
    std::string name = (root_ / kUploads / "XXXXXX").native();
    if (::mkdtemp(name.data()) == nullptr) {
        return os_error(errno, "begin an upload");
    }
    const fs::path folder(name);
    if (Status named = write_file_atomically(folder / kKeyFile, key); !named) {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
        return std::move(named).error();
    }
    return PartUpload{
        .key = std::string(key), .id = folder.filename().native(), .begun_at = modified_at(folder)
    };
}

Result<fs::path> FileStorage::folder_of(const PartUpload& upload) const {
    TRY_STATUS(check(upload.key));
    if (!is_upload_id(upload.id)) {
        return no_upload(upload);
    }
    fs::path folder = root_ / kUploads / upload.id;
    const auto key = read_file(folder / kKeyFile, kKeyBytesMax);
    if (!key || *key != upload.key) {
        return no_upload(upload);
    }
    return folder;
}

Result<UploadedPart> FileStorage::put_part(
    const PartUpload& upload, int number, std::string_view bytes
) {
    if (number < 1 || number > kPartsMax) {
        return Error::invalid_argument("a part's number is 1 to {}, not {}", kPartsMax, number);
    }
    TRY(const fs::path folder, folder_of(upload));
    UploadedPart part{
        .number = number,
        .size = Bytes(static_cast<std::int64_t>(bytes.size())),
        .tag = nexa::sha256(bytes).hex(),
    };
    Taken taken(space_);
    TRY_STATUS(taken.more(part.size));
    TRY(TempFile file, TempFile::create(root_ / kTemp));
    TRY_STATUS(file.write(bytes));
    TRY_STATUS(file.finish(kPartMode));
    TRY(const auto before, parts_in(folder));
    if (::rename(file.path().c_str(), (folder / part_name(part)).c_str()) != 0) {
        return errno == ENOENT ? no_upload(upload) : os_error(errno, "store a part");
    }
    file.given_away();
    for (const UploadedPart& old : before) {
        if (old.number == number && old.tag != part.tag) {
            ::unlink((folder / part_name(old)).c_str());
        }
    }
    TRY_STATUS(flush_folder(folder));
    return part;
}

Result<std::vector<UploadedPart>> FileStorage::list_parts(const PartUpload& upload) {
    TRY(const fs::path folder, folder_of(upload));
    return parts_in(folder);
}

Status FileStorage::complete_upload(
    const PartUpload& upload, std::span<const UploadedPart> parts, const PutOptions& options
) {
    TRY(const fs::path folder, folder_of(upload));
    TRY(const auto there, parts_in(folder));
    if (parts.empty()) {
        return Error::invalid_argument("an upload of '{}' without parts cannot end", upload.key);
    }
    int before = 0;
    for (const UploadedPart& part : parts) {
        const auto found = std::ranges::find(there, part.number, &UploadedPart::number);
        if (part.number <= before || found == there.end() || found->tag != part.tag) {
            return Error::invalid_argument(
                "part {} of '{}' is not there as it was put", part.number, upload.key
            );
        }
        before = part.number;
    }
    PartsSource source(folder, parts);
    TRY_STATUS(put(upload.key, source, options));
    return abort_upload(upload);
}

Status FileStorage::abort_upload(const PartUpload& upload) {
    const auto folder = folder_of(upload);
    if (!folder) {
        return folder.error().code == ErrorCode::kNotFound ? Status() : Status(folder.error());
    }
    std::error_code error;
    fs::remove_all(*folder, error);
    return error ? Status(os_error(error.value(), "remove an upload")) : Status();
}

Result<std::vector<PartUpload>> FileStorage::list_uploads() {
    std::vector<PartUpload> uploads;
    std::error_code error;
    for (auto entry = fs::directory_iterator(root_ / kUploads, error);
         !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const auto key = read_file(entry->path() / kKeyFile, kKeyBytesMax);
        if (key && is_upload_id(entry->path().filename().native())) {
            uploads.push_back(
                {.key = *key,
                 .id = entry->path().filename().native(),
                 .begun_at = modified_at(entry->path())}
            );
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return os_error(error.value(), "list uploads");
    }
    std::ranges::sort(uploads, {}, [](const PartUpload& upload) {
        return std::pair(upload.key, upload.id);
    });
    return uploads;
}

namespace {

Error no_links() {
    return Error::invalid_argument("a folder has no links: only buckets give some");
}

}  // namespace

Result<PresignedRequest> FileStorage::presign(const GetLink& /*link*/) {
    return no_links();
}

Result<PresignedRequest> FileStorage::presign(const PutLink& /*link*/) {
    return no_links();
}

}  // namespace nexa::storage
