// SPDX-License-Identifier: Apache-2.0
#include "staging/file_stager.h"

#include <set>
#include <system_error>
#include <utility>

#include "core/file.h"
#include "core/retry.h"
#include "storage/object_key.h"

namespace nexa::staging {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAppendBytes = std::size_t{1} << 20U;

/// A blob that goes each time between look and use is no coincidence.
constexpr int kPlaceAttempts = 5;

/// Ten minutes of trouble with one file are not the network's.
constexpr RetryPolicy kFetchPolicy{
    .attempts = 1000,
    .base = std::chrono::milliseconds(300),
    .cap = std::chrono::seconds(10),
    .total_max = std::chrono::minutes(10),
};

/// A second name for the blob if the file system allows it, else a copy. Errors: kNotFound if the
/// blob has gone.
Status place(
    const storage::BlobStore& cache,
    const Sha256Digest& digest,
    Bytes expected_size,
    const fs::path& target
) {
    TRY(const Bytes size, cache.size(digest));
    if (size != expected_size) {
        return Error::invalid_argument(
                   "it has {} bytes, not {}", size.value(), expected_size.value()
        )
            .at("size");
    }
    TRY(const fs::path blob, cache.path_of(digest));
    TRY_STATUS(make_folders(target.parent_path()));
    std::error_code failed;
    fs::create_hard_link(blob, target, failed);
    if (failed == std::errc::file_exists) {
        return Error::invalid_argument("{} is there already", target.native());
    }
    if (failed) {
        fs::copy_file(blob, target, failed);
    }
    if (failed && !cache.exists(digest)) {
        return Error::not_found("{} has gone from the cache", digest);
    }
    if (failed) {
        return Error::unavailable("cannot place {}: {}", target.native(), failed.message());
    }
    return {};
}

/// True if it is there and sound. A damaged one has been set aside, and can be fetched again.
Result<bool> is_cached(storage::BlobStore& cache, const Sha256Digest& digest) {
    const Status sound = cache.verify(digest);
    if (sound) {
        return true;
    }
    const ErrorCode code = sound.error().code;
    if (code == ErrorCode::kNotFound || code == ErrorCode::kDataLoss) {
        return false;
    }
    return sound.error();
}

Status check_file(const protocol::InputFile& file) {
    if (auto safe = storage::check_key(file.path); !safe) {
        return std::move(safe).error().at("path");
    }
    if (file.size < 0) {
        return Error::invalid_argument("{} cannot have {} bytes", file.path, file.size).at("size");
    }
    if (auto digest = Sha256Digest::parse(file.digest); !digest) {
        return std::move(digest).error().at("digest");
    }
    return {};
}

}  // namespace

Status check_files(const std::vector<protocol::InputFile>& files) {
    std::set<std::string_view> paths;
    for (const protocol::InputFile& file : files) {
        TRY_STATUS(check_file(file));
        if (!paths.insert(file.path).second) {
            return Error::invalid_argument("{} is there twice", file.path).at("path");
        }
    }
    return {};
}

net::Task<void> FileStager::stage(
    std::vector<protocol::InputFile> files, fs::path folder, CancelToken token
) {
    CO_TRY_STATUS(check_files(files));
    CO_TRY_STATUS(co_await net::run_on(with_.disk, [folder] { return make_folders(folder); }));
    for (const protocol::InputFile& file : files) {
        const Status staged = co_await stage_file(file, folder / file.path, token);
        if (!staged) {
            co_return Error(staged.error()).while_doing(fmt::format("stage {}", file.path));
        }
    }
    co_return ok();
}

net::Task<void> FileStager::stage_file(
    protocol::InputFile file, fs::path target, CancelToken token
) {
    CO_TRY(const Sha256Digest digest, Sha256Digest::parse(file.digest));
    const Bytes size(file.size);
    for (int attempt = 1;; ++attempt) {
        CO_TRY_STATUS(token.check());
        auto look = [&cache = with_.cache, digest] { return is_cached(cache, digest); };
        CO_TRY(const bool cached, co_await net::run_on(with_.disk, std::move(look)));
        if (!cached) {
            CO_TRY_STATUS(co_await fetch(digest, size, token));
        }
        const Status placed =
            co_await net::run_on(with_.disk, [&cache = with_.cache, digest, size, target] {
                return place(cache, digest, size, target);
            });
        // Whoever tidies the cache may have taken it for unused in between.
        const bool has_gone = !placed && placed.error().code == ErrorCode::kNotFound;
        if (!has_gone || attempt == kPlaceAttempts) {
            co_return placed;
        }
    }
}

net::Task<void> FileStager::fetch(Sha256Digest digest, Bytes size, CancelToken token) {
    Backoff backoff(kFetchPolicy, with_.random, with_.clock.steady_now());
    while (true) {
        const Status fetched = co_await fetch_once(digest, size, token);
        if (fetched) {
            co_return ok();
        }
        const auto pause = backoff.next_delay(fetched.error().code, with_.clock.steady_now());
        if (!pause) {
            co_return fetched;
        }
        CO_TRY_STATUS(token.check());
        CO_TRY_STATUS(co_await net::sleep_for(*pause));
        CO_TRY_STATUS(token.check());
    }
}

net::Task<void> FileStager::fetch_once(Sha256Digest digest, Bytes size, CancelToken token) {
    CO_TRY(net::HttpStream stream, co_await with_.open_blob(digest));
    auto begin = [this, digest, size] { return downloads_.begin(digest, size); };
    CO_TRY(const std::string upload, co_await net::run_on(with_.disk, std::move(begin)));
    Status stored = co_await append_all(std::move(stream), upload, token);
    if (stored) {
        auto commit = [this, upload]() -> Status {
            TRY_STATUS(downloads_.commit(upload));
            return {};
        };
        stored = co_await net::run_on(with_.disk, std::move(commit));
    }
    if (!stored) {
        // What is left of it is dropped at the next start at the latest.
        const Status aborted =
            co_await net::run_on(with_.disk, [this, upload] { return downloads_.abort(upload); });
        static_cast<void>(aborted);
    }
    co_return stored;
}

net::Task<void> FileStager::append_all(
    net::HttpStream stream, std::string upload, CancelToken token
) {
    Bytes offset{0};
    std::string collected;
    while (true) {
        CO_TRY_STATUS(token.check());
        CO_TRY(const std::string piece, co_await stream.body->read());
        collected += piece;
        if (collected.size() >= kAppendBytes || (piece.empty() && !collected.empty())) {
            auto append = [this, &upload, offset, &collected] {
                return downloads_.append(upload, offset, collected);
            };
            CO_TRY(offset, co_await net::run_on(with_.disk, std::move(append)));
            collected.clear();
        }
        if (piece.empty()) {
            co_return ok();
        }
    }
}

}  // namespace nexa::staging
