// SPDX-License-Identifier: Apache-2.0
#include "worker/leftovers.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <string>
#include <system_error>

#include "core/file.h"
#include "core/file_lock.h"
#include "core/log.h"
#include "core/process_table.h"

namespace nexa::worker {

namespace {

namespace fs = std::filesystem;

bool is_inside(const fs::path& path, const fs::path& folder) {
    return path.native().starts_with(folder.native() + "/");
}

/// Both must hold: a shell that somebody opened in a job's folder is not ours to kill.
bool is_engine_of(pid_t pid, const fs::path& jobs) {
    std::error_code failed;
    const fs::path proc = fs::path("/proc") / std::to_string(pid);
    const fs::path cwd = fs::read_symlink(proc / "cwd", failed);
    if (failed || !is_inside(cwd, jobs)) {
        return false;
    }
    constexpr std::size_t kArgumentsMax = 8192;
    const UniqueFd fd(::open((proc / "cmdline").c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, kArgumentsMax> room;
    const ssize_t got = fd ? ::read(fd.get(), room.data(), room.size()) : -1;
    return got > 0 &&
           std::string_view(room.data(), static_cast<std::size_t>(got)).find(jobs.native() + "/") !=
               std::string_view::npos;
}

Status kill_orphans(const fs::path& jobs) {
    TRY(const auto processes, read_process_table());
    for (const ProcessEntry& process : processes) {
        if (process.dead || !is_engine_of(process.pid, jobs)) {
            continue;
        }
        // Its whole tree: children may have gone elsewhere.
        TRY(const auto tree, read_process_tree(process.pid));
        for (const ProcessEntry& member : tree) {
            signal_process(member, SIGKILL);
        }
        get_logger("worker").warning("orphaned engine killed", {{"pid", process.pid}});
    }
    return {};
}

}  // namespace

Result<UniqueFd> lock_folders(const StoragePaths& paths) {
    for (const fs::path& folder :
         {paths.worker(), paths.worker_keys(), paths.worker_jobs(), paths.worker_outbox()}) {
        TRY_STATUS(make_private_folder(folder));
    }
    auto lock = lock_file(paths.worker() / "lock");
    if (!lock && lock.error().code == ErrorCode::kConflict) {
        return Error::conflict("another worker uses {}", paths.worker().native())
            .hint("give this one its own --dir");
    }
    return lock;
}

Status clear_leftovers(const StoragePaths& paths) {
    std::error_code failed;
    // As /proc shows it: without links on the way.
    const fs::path jobs = fs::canonical(paths.worker_jobs(), failed);
    if (failed) {
        return Error::unavailable(
            "cannot find {}: {}", paths.worker_jobs().native(), failed.message()
        );
    }
    TRY_STATUS(kill_orphans(jobs));
    for (fs::directory_iterator entry(jobs, failed); !failed && entry != fs::directory_iterator();
         entry.increment(failed)) {
        TRY_STATUS(remove_tree(entry->path()));
    }
    if (failed) {
        return Error::unavailable("cannot list {}: {}", jobs.native(), failed.message());
    }
    return {};
}

}  // namespace nexa::worker
