// SPDX-License-Identifier: Apache-2.0
#include "cli/artifact_transfer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <system_error>

#include <fmt/format.h>

#include "core/file.h"
#include "core/os_error.h"
#include "core/sha256.h"
#include "net/url.h"
#include "protocol/upload_plan.h"
#include "storage/object_key.h"

namespace nexa::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20;
constexpr std::size_t kFilesMax = 1'000'000;
constexpr mode_t kFileMode = 0644;

struct Hashed {
    Sha256Digest digest;
    std::uint64_t size = 0;
};

Result<Hashed> hash_file(const fs::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        return os_error(errno, fmt::format("open {}", path.native()));
    }
    Sha256 hash;
    std::string buffer(kChunk, '\0');
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return os_error(errno, fmt::format("read {}", path.native()));
        }
        if (got == 0) {
            return Hashed{.digest = hash.digest(), .size = hash.byte_count()};
        }
        hash.update(std::string_view(buffer).substr(0, static_cast<std::size_t>(got)));
    }
}

Status add_file(const fs::path& file, std::string name, std::vector<protocol::InputFile>& files) {
    const auto checked = storage::check_key(name);
    if (!checked) {
        Error error = checked.error();
        return std::move(error).while_doing(fmt::format("cannot push {}", file.native()));
    }
    if (files.size() == kFilesMax) {
        return Error::invalid_argument("there are more than {} files", kFilesMax);
    }
    TRY(const Hashed hashed, hash_file(file));
    files.push_back({
        .path = std::move(name),
        .digest = hashed.digest.prefixed(),
        .size = static_cast<std::int64_t>(hashed.size),
    });
    return {};
}

Status add_folder(const fs::path& folder, std::vector<protocol::InputFile>& files) {
    std::error_code failed;
    for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        const fs::file_status status = at->symlink_status(failed);
        if (failed || status.type() == fs::file_type::directory) {
            continue;
        }
        if (status.type() != fs::file_type::regular) {
            return Error::invalid_argument(
                       "cannot push {}: it is no regular file", at->path().native()
            )
                .hint("put a copy in its place, or take it away");
        }
        TRY_STATUS(
            add_file(at->path(), at->path().lexically_relative(folder).generic_string(), files)
        );
    }
    if (failed) {
        return os_error(failed.value(), fmt::format("read the folder {}", folder.native()));
    }
    return {};
}

/// To where the server wants it: nowhere if it has it, into its store by a link, or to itself.
Status send_file(ApiClient& api, const fs::path& source, const protocol::InputFile& file) {
    const std::string path = fmt::format("/blobs/{}", file.digest);
    TRY(const std::string answer,
        api.post(path + "/plan", to_json(protocol::UploadWish{.size = file.size})));
    TRY(protocol::UploadPlan plan, read_reply<protocol::UploadPlan>(answer));
    if (plan.state == "stored") {
        return {};
    }
    net::HttpRequest request{
        .method = net::Method::kPut,
        .upload_file = source,
        .total_time_max = std::chrono::milliseconds(0),
    };
    if (plan.state == "link") {
        request.url = std::move(plan.url);
        for (protocol::UploadHeader& header : plan.headers) {
            request.headers.add(std::move(header.name), std::move(header.value));
        }
        return api.send_elsewhere(request);
    }
    request.url = path;
    request.headers.add("Content-Type", "application/octet-stream");
    TRY_STATUS(api.send(std::move(request)));
    return {};
}

Status upload(ApiClient& api, const fs::path& source, const protocol::InputFile& file) {
    Status sent = send_file(api, source, file);
    if (sent) {
        return sent;
    }
    // The server says that the bytes are not what their name promises: they were, when hashed.
    const auto again = hash_file(source);
    if (again && again->digest.prefixed() != file.digest) {
        return Error::conflict("{} changed while it was sent", source.native())
            .hint("push it again");
    }
    Error error = std::move(sent).error();
    return std::move(error).while_doing(fmt::format("upload {}", source.native()));
}

/// One file on its way: written beside its place, hashed as it comes.
class Download {
public:
    static Result<Download> begin(fs::path target) {
        const fs::path partial = target.native() + ".partial";
        // A link that lies there must not lead us out of the folder.
        if (::unlink(partial.c_str()) != 0 && errno != ENOENT) {
            return os_error(errno, fmt::format("remove {}", partial.native()));
        }
        UniqueFd file(
            ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode)
        );
        if (!file) {
            return os_error(errno, fmt::format("create {}", partial.native()));
        }
        return Download(std::move(target), partial, std::move(file));
    }

    Status take(std::string_view bytes) {
        hash_.update(bytes);
        return write_all(file_.get(), bytes, partial_.native());
    }

    Status finish(const protocol::InputFile& expected) {
        if (hash_.digest().prefixed() != expected.digest ||
            hash_.byte_count() != static_cast<std::uint64_t>(expected.size)) {
            ::unlink(partial_.c_str());
            return Error::data_loss(
                "the server's bytes of '{}' are {} ({} bytes), not {}",
                expected.path,
                hash_.digest(),
                hash_.byte_count(),
                expected.digest
            );
        }
        if (::fsync(file_.get()) != 0) {
            return os_error(errno, fmt::format("write {}", partial_.native()));
        }
        if (::rename(partial_.c_str(), target_.c_str()) != 0) {
            return os_error(errno, fmt::format("rename {}", partial_.native()));
        }
        return {};
    }

private:
    Download(fs::path target, fs::path partial, UniqueFd file)
        : target_(std::move(target)), partial_(std::move(partial)), file_(std::move(file)) {}

    fs::path target_;
    fs::path partial_;
    UniqueFd file_;
    Sha256 hash_;
};

/// True if the file lies there whole. Errors: kConflict if something else does.
Result<bool> is_there(const fs::path& target, const protocol::InputFile& file) {
    std::error_code failed;
    const fs::file_status status = fs::symlink_status(target, failed);
    if (status.type() == fs::file_type::not_found) {
        return false;
    }
    if (status.type() == fs::file_type::regular) {
        TRY(const Hashed hashed, hash_file(target));
        if (hashed.digest.prefixed() == file.digest) {
            return true;
        }
    }
    return Error::conflict("{} is there already with other content", target.native())
        .hint("pull into another folder, or take it away");
}

/// Makes the folders above `relative` one by one, so that no link in them leads out of `root`.
Status make_folders_inside(const fs::path& root, const fs::path& relative) {
    fs::path at = root;
    for (const fs::path& part : relative) {
        at /= part;
        if (::mkdir(at.c_str(), 0755) == 0) {
            continue;
        }
        const int error = errno;
        std::error_code failed;
        if (error != EEXIST || fs::symlink_status(at, failed).type() != fs::file_type::directory) {
            return error == EEXIST
                       ? Error::conflict("{} is there already and is no folder", at.native())
                       : os_error(error, fmt::format("make the folder {}", at.native()));
        }
    }
    return {};
}

std::string file_path(const protocol::ArtifactView& artifact, const std::string& path) {
    std::string escaped;
    for (std::size_t at = 0; at <= path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        escaped += "/" + net::percent_encode(path.substr(at, end - at));
        at = end + 1;
    }
    return fmt::format("/artifacts/{}/files{}", net::percent_encode(artifact.artifact_id), escaped);
}

Status pull_file(
    ApiClient& api,
    const protocol::ArtifactView& artifact,
    const protocol::InputFile& file,
    const fs::path& folder
) {
    TRY_STATUS(storage::check_key(file.path));
    const fs::path target = folder / file.path;
    TRY(const bool there, is_there(target, file));
    if (there) {
        return {};
    }
    TRY_STATUS(make_folders_inside(folder, fs::path(file.path).parent_path()));
    TRY(Download download, Download::begin(target));
    net::HttpRequest request{
        .url = file_path(artifact, file.path),
        .total_time_max = std::chrono::milliseconds(0),
        .body_bytes_max = static_cast<std::uint64_t>(std::max<std::int64_t>(file.size, 0)) + kChunk,
    };
    TRY_STATUS(api.send(std::move(request), [&](std::string_view bytes) {
        return download.take(bytes);
    }));
    return download.finish(file);
}

}  // namespace

Result<std::vector<protocol::InputFile>> list_files(const fs::path& path) {
    std::error_code failed;
    const fs::file_status status = fs::status(path, failed);
    std::vector<protocol::InputFile> files;
    if (status.type() == fs::file_type::not_found) {
        return Error::not_found("there is no file or folder {}", path.native());
    }
    if (status.type() == fs::file_type::directory) {
        TRY_STATUS(add_folder(path, files));
    } else if (status.type() == fs::file_type::regular) {
        // The user named it, so a link to it is meant; what lies below a folder was not named.
        const fs::path file = fs::canonical(path, failed);
        TRY_STATUS(add_file(failed ? path : file, path.filename().native(), files));
    } else {
        return Error::invalid_argument("{} is neither a file nor a folder", path.native());
    }
    if (files.empty()) {
        return Error::invalid_argument("there are no files in {}", path.native());
    }
    std::ranges::sort(files, {}, &protocol::InputFile::path);
    return files;
}

Result<std::string> push(ApiClient& api, const PushWish& wish, const TransferProgress& progress) {
    TRY(auto files, list_files(wish.path));
    const bool is_folder = fs::is_directory(wish.path);
    std::set<std::string> sent;
    std::size_t done = 0;
    for (const protocol::InputFile& file : files) {
        const bool is_new = sent.insert(file.digest).second;
        const fs::path from = is_folder ? wish.path / file.path : wish.path;
        TRY_STATUS(is_new ? upload(api, from, file) : Status());
        progress(file.path, ++done, files.size());
    }
    const protocol::ArtifactCreate create{
        .kind = wish.kind, .name = wish.name, .files = std::move(files)
    };
    return api.post("/artifacts", to_json(create));
}

Status pull(
    ApiClient& api,
    const protocol::ArtifactView& artifact,
    const fs::path& folder,
    const TransferProgress& progress
) {
    TRY_STATUS(make_folders(folder));
    std::size_t done = 0;
    for (const protocol::InputFile& file : artifact.files) {
        auto pulled = pull_file(api, artifact, file, folder);
        if (!pulled) {
            return std::move(pulled).error().while_doing(fmt::format("pull '{}'", file.path));
        }
        progress(file.path, ++done, artifact.files.size());
    }
    return {};
}

}  // namespace nexa::cli
