// SPDX-License-Identifier: Apache-2.0
#include "worker/input_stager.h"

#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "core/storage_paths.h"
#include "worker/eviction.h"

namespace nexa::worker {

namespace fs = std::filesystem;

Status check_inputs(const std::vector<protocol::JobInput>& inputs) {
    std::set<std::string> names;
    for (const protocol::JobInput& input : inputs) {
        if (auto safe = check_path_id(input.name); !safe) {
            return std::move(safe).error().at("name").at("inputs");
        }
        if (!names.insert(input.name).second) {
            return Error::invalid_argument("two inputs are called {}", input.name).at("inputs");
        }
        if (auto sound = staging::check_files(input.files); !sound) {
            return std::move(sound).error().at(input.name).at("inputs");
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
        const Status staged = co_await files_.stage(input.files, folder / input.name, token);
        if (!staged) {
            co_return Error(staged.error()).while_doing(fmt::format("stage input {}", input.name));
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

}  // namespace nexa::worker
