// SPDX-License-Identifier: Apache-2.0
#include "worker/output_uploader.h"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "core/retry.h"
#include "storage/byte_source.h"
#include "storage/object_key.h"

namespace nexa::worker {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFilesMax = 100'000;

constexpr RetryPolicy kUploadPolicy{
    .attempts = 1000,
    .base = std::chrono::milliseconds(300),
    .cap = std::chrono::seconds(10),
    .total_max = std::chrono::minutes(10),
};

Error cannot_list(const fs::path& folder, const std::error_code& failed) {
    if (failed == std::errc::no_such_file_or_directory) {
        return Error::not_found("the job has left no {}", folder.native());
    }
    return Error::unavailable("cannot list {}: {}", folder.native(), failed.message());
}

Status hash(OutputFile& file) {
    TRY(const auto source, storage::FileSource::open(file.source));
    Sha256 hasher;
    std::string room(std::size_t{1} << 18U, '\0');
    while (true) {
        TRY(const std::size_t got, source->read(std::span(room.data(), room.size())));
        if (got == 0) {
            break;
        }
        hasher.update(std::string_view(room).substr(0, got));
    }
    file.digest = hasher.digest();
    file.size = static_cast<std::int64_t>(hasher.byte_count());
    return {};
}

Result<std::vector<OutputFile>> find_files(const fs::path& folder) {
    std::vector<OutputFile> files;
    std::error_code failed;
    const fs::file_status root = fs::symlink_status(folder, failed);
    if (fs::exists(root) && !fs::is_directory(root)) {
        return Error::invalid_argument("{} is no folder", folder.native());
    }
    fs::recursive_directory_iterator entry(folder, failed);
    for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        const fs::file_status status = entry->symlink_status(failed);
        if (failed || fs::is_directory(status)) {
            continue;
        }
        std::string path = entry->path().lexically_relative(folder).generic_string();
        if (!fs::is_regular_file(status)) {
            return Error::invalid_argument("output {} is neither file nor folder", path);
        }
        TRY_STATUS(storage::check_key(path));
        if (files.size() >= kFilesMax) {
            return Error::invalid_argument(
                "{} holds more than {} files", folder.native(), kFilesMax
            );
        }
        files.push_back({.source = entry->path(), .path = std::move(path)});
    }
    if (failed) {
        return cannot_list(folder, failed);
    }
    return files;
}

}  // namespace

Result<std::vector<OutputFile>> list_outputs(const fs::path& folder) {
    TRY(std::vector<OutputFile> files, find_files(folder));
    if (files.empty()) {
        return Error::invalid_argument("output {} is empty", folder.filename().native());
    }
    for (OutputFile& file : files) {
        TRY_STATUS(hash(file));
    }
    std::ranges::sort(files, {}, &OutputFile::path);
    return files;
}

net::Task<UploadedOutputs> OutputUploader::upload(
    std::vector<protocol::EngineOutput> outputs, fs::path folder, CancelToken token
) {
    UploadedOutputs uploaded;
    for (protocol::EngineOutput& output : outputs) {
        if (auto safe = storage::check_key(output.path); !safe) {
            co_return std::move(safe).error().at("path").at("outputs");
        }
        auto list = [place = folder / output.path] { return list_outputs(place); };
        CO_TRY(
            const std::vector<OutputFile> files, co_await net::run_on(with_.disk, std::move(list))
        );
        protocol::ResultArtifact artifact{
            .artifact_id = std::move(output.artifact_id),
            .kind = std::move(output.kind),
            .name = std::move(output.name),
            .metrics = std::move(output.metrics),
        };
        CO_TRY_STATUS(co_await upload_all(files, token));
        for (const OutputFile& file : files) {
            artifact.files.push_back(
                {.path = file.path, .digest = file.digest.prefixed(), .size = file.size}
            );
            uploaded.bytes += file.size;
        }
        uploaded.artifacts.push_back(std::move(artifact));
    }
    co_return uploaded;
}

/// What is left to do, shared by coroutines of one executor.
struct OutputUploader::Uploading {
    std::vector<OutputFile> files;
    std::size_t next = 0;
    Status status;
};

net::Task<void> OutputUploader::upload_all(std::vector<OutputFile> files, CancelToken token) {
    using boost::asio::experimental::awaitable_operators::operator&&;
    const auto work = std::make_shared<Uploading>(std::move(files));
    co_await (
        upload_in_turn(work, token) && upload_in_turn(work, token) && upload_in_turn(work, token) &&
        upload_in_turn(work, token)
    );
    co_return work->status;
}

net::Task<void> OutputUploader::upload_in_turn(std::shared_ptr<Uploading> work, CancelToken token) {
    while (work->status && work->next < work->files.size()) {
        const std::size_t mine = work->next++;
        const Status done = co_await upload_file(work->files[mine], token);
        if (!done && work->status) {
            work->status = done;
        }
    }
    co_return ok();
}

net::Task<void> OutputUploader::upload_file(OutputFile file, CancelToken token) {
    Backoff backoff(kUploadPolicy, with_.random, with_.clock.steady_now());
    while (true) {
        CO_TRY_STATUS(token.check());
        const Status done = co_await with_.client.put_blob(file.digest, file.size, file.source);
        if (done) {
            co_return ok();
        }
        const auto pause = backoff.next_delay(done.error().code, with_.clock.steady_now());
        if (!pause) {
            co_return Error(done.error()).while_doing(fmt::format("upload {}", file.path));
        }
        CO_TRY_STATUS(token.check());
        CO_TRY_STATUS(co_await net::sleep_for(*pause));
    }
}

}  // namespace nexa::worker
