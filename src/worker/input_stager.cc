// SPDX-License-Identifier: Apache-2.0
#include "worker/input_stager.h"

#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "core/retry.h"
#include "core/storage_paths.h"
#include "storage/object_key.h"
#include "worker/eviction.h"

namespace nexa::worker {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kAppendBytes = std::size_t{1} << 20U;

/// As long as the lease holds the server is there: ten minutes of trouble with one file are not the
/// network's.
constexpr RetryPolicy kFetchPolicy{
    .attempts = 1000,
    .base = std::chrono::milliseconds(300),
    .cap = std::chrono::seconds(10),
    .total_max = std::chrono::minutes(10),
};

Status make_folder(const fs::path& folder) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) {
        return Error::unavailable("cannot make {}: {}", folder.native(), failed.message());
    }
    return {};
}

/// A second name for the blob if the file system allows it, else a copy.
Status place(const storage::BlobStore& cache, const Sha256Digest& digest, const fs::path& target) {
    TRY(const fs::path blob, cache.path_of(digest));
    TRY_STATUS(make_folder(target.parent_path()));
    std::error_code failed;
    fs::create_hard_link(blob, target, failed);
    if (failed == std::errc::file_exists) {
        return Error::invalid_argument("two inputs would be {}", target.native());
    }
    if (failed) {
        fs::copy_file(blob, target, failed);
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

Status check_inputs(const std::vector<protocol::JobInput>& inputs) {
    std::set<std::string> names;
    for (const protocol::JobInput& input : inputs) {
        if (auto safe = check_path_id(input.name); !safe) {
            return std::move(safe).error().at("name").at("inputs");
        }
        if (!names.insert(input.name).second) {
            return Error::invalid_argument("two inputs are called {}", input.name).at("inputs");
        }
        std::set<std::string_view> paths;
        for (const protocol::InputFile& file : input.files) {
            if (auto sound = check_file(file); !sound) {
                return std::move(sound).error().at(input.name).at("inputs");
            }
            if (!paths.insert(file.path).second) {
                return Error::invalid_argument("input {} has {} twice", input.name, file.path)
                    .at("inputs");
            }
        }
    }
    return {};
}

net::Task<void> InputStager::stage(
    std::vector<protocol::JobInput> inputs, fs::path folder, CancelToken token
) {
    CO_TRY_STATUS(check_inputs(inputs));
    CO_TRY_STATUS(co_await net::run_on(with_.disk, [this, &inputs] { return make_room(inputs); }));
    for (const protocol::JobInput& input : inputs) {
        const fs::path target = folder / input.name;
        CO_TRY_STATUS(co_await net::run_on(with_.disk, [target] { return make_folder(target); }));
        for (const protocol::InputFile& file : input.files) {
            const Status staged = co_await stage_file(file, target / file.path, token);
            if (!staged) {
                co_return Error(staged.error())
                    .while_doing(fmt::format("stage {}/{}", input.name, file.path));
            }
        }
    }
    co_return ok();
}

/// Before the fetching, so that the disk never holds both.
Status InputStager::make_room(const std::vector<protocol::JobInput>& inputs) {
    if (bytes_max_ <= 0) {
        return {};
    }
    // Another job may be staging what it has just found here.
    constexpr std::chrono::minutes kInUse{10};
    std::int64_t missing = 0;
    for (const protocol::JobInput& input : inputs) {
        for (const protocol::InputFile& file : input.files) {
            TRY(const Sha256Digest digest, Sha256Digest::parse(file.digest));
            if (const auto path = with_.cache.path_of(digest)) {
                mark_used(*path, with_.clock.now());
            } else {
                missing += file.size;
            }
        }
    }
    if (missing == 0) {
        return {};
    }
    std::vector<CachedFile> files;
    TRY_STATUS(with_.cache.list([&](const storage::BlobInfo& blob) {
        std::error_code gone;
        const auto path = with_.cache.path_of(blob.digest);
        const auto used_at = path ? fs::last_write_time(*path, gone) : fs::file_time_type();
        if (path && !gone) {
            files.push_back(
                {.path = blob.digest.hex(), .bytes = blob.size.value(), .used_at = used_at}
            );
        }
        return true;
    }));
    const auto spare_after = to_file_time(with_.clock.now() - kInUse);
    for (const CachedFile& file :
         choose_victims(std::move(files), bytes_max_ - missing, spare_after)) {
        TRY(const Sha256Digest digest, Sha256Digest::parse(file.path.native()));
        const Status removed = with_.cache.remove(digest);
        if (!removed && removed.error().code != ErrorCode::kNotFound) {
            return removed;
        }
    }
    return {};
}

net::Task<void> InputStager::stage_file(
    protocol::InputFile file, fs::path target, CancelToken token
) {
    CO_TRY_STATUS(token.check());
    CO_TRY(const Sha256Digest digest, Sha256Digest::parse(file.digest));
    auto look = [&cache = with_.cache, digest] { return is_cached(cache, digest); };
    CO_TRY(const bool cached, co_await net::run_on(with_.disk, std::move(look)));
    if (!cached) {
        CO_TRY_STATUS(co_await fetch(digest, Bytes(file.size), token));
    }
    CO_TRY(const Bytes size, with_.cache.size(digest));
    if (size != Bytes(file.size)) {
        co_return Error::invalid_argument("it has {} bytes, not {}", size.value(), file.size)
            .at("size");
    }
    co_return co_await net::run_on(with_.disk, [this, digest, target]() -> Status {
        TRY(const fs::path blob, with_.cache.path_of(digest));
        mark_used(blob, with_.clock.now());
        return place(with_.cache, digest, target);
    });
}

net::Task<void> InputStager::fetch(Sha256Digest digest, Bytes size, CancelToken token) {
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

net::Task<void> InputStager::fetch_once(Sha256Digest digest, Bytes size, CancelToken token) {
    CO_TRY(net::HttpStream stream, co_await with_.client.open_blob(digest));
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

net::Task<void> InputStager::append_all(
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

}  // namespace nexa::worker
