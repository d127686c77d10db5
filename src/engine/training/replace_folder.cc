// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/file.h"
#include "core/os_error.h"
#include "engine/training/replace_folder_internal.h"

namespace nexa::training {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNew = ".new";
constexpr std::string_view kOld = ".old";
constexpr std::string_view kGone = ".gone";

/// A hidden neighbor: ".step-00000100.new".
fs::path beside(const fs::path& folder, std::string_view suffix) {
    return folder.parent_path() / fmt::format(".{}{}", folder.filename().string(), suffix);
}

/// Whatever the file system says: it is no fault of the job's, and another machine may do better.
Error unavailable(int error, std::string_view what, const fs::path& path) {
    Error failed = os_error(error, fmt::format("{} {}", what, path.native()));
    failed.code = ErrorCode::kUnavailable;
    return failed;
}

Status flush(const fs::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        return unavailable(errno, "open", path);
    }
    if (::fsync(file.get()) != 0) {
        return unavailable(errno, "flush", path);
    }
    return ok();
}

Status flush_all(const fs::path& folder) {
    std::error_code failed;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, failed)) {
        TRY_STATUS(flush(entry.path()));
    }
    if (failed) {
        return unavailable(failed.value(), "list", folder);
    }
    return flush(folder);
}

Status clear_away(const fs::path& path) {
    Status removed = remove_tree(path);
    if (!removed) {
        removed.error().code = ErrorCode::kUnavailable;
    }
    return removed;
}

Status move_to(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return unavailable(errno, "rename", from);
    }
    return ok();
}

Status make_fresh(const fs::path& folder) {
    TRY_STATUS(clear_away(folder));
    return make_folders(folder);
}

/// Puts `fresh` in the place of `folder`, which exists.
Status swap_folders(const fs::path& fresh, const fs::path& folder, Swap swap) {
    if (swap == Swap::kBest) {
        if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
            TRY_STATUS(flush(folder.parent_path()));
            return clear_away(fresh);
        }
        if (errno != EINVAL && errno != ENOSYS) {
            return unavailable(errno, "replace", folder);
        }
    }
    const fs::path old = beside(folder, kOld);
    TRY_STATUS(clear_away(old));
    TRY_STATUS(move_to(folder, old));
    TRY_STATUS(move_to(fresh, folder));
    TRY_STATUS(flush(folder.parent_path()));
    return clear_away(old);
}

}  // namespace

Status settle_folder(const fs::path& folder) {
    std::error_code ignored;
    const fs::path old = beside(folder, kOld);
    if (!fs::exists(folder, ignored) && fs::exists(old, ignored)) {
        return move_to(old, folder);
    }
    return ok();
}

Status replace_folder(
    const fs::path& folder, const std::function<Status(const fs::path&)>& fill, Swap swap
) {
    TRY_STATUS(settle_folder(folder));
    const fs::path fresh = beside(folder, kNew);
    TRY_STATUS(make_fresh(fresh));
    Status filled = fill(fresh);
    if (filled) {
        filled = flush_all(fresh);
    }
    if (!filled) {
        std::error_code ignored;
        fs::remove_all(fresh, ignored);
        return filled;
    }
    std::error_code ignored;
    if (fs::exists(folder, ignored)) {
        return swap_folders(fresh, folder, swap);
    }
    TRY_STATUS(move_to(fresh, folder));
    return flush(folder.parent_path());
}

Status drop_folder(const fs::path& folder) {
    const fs::path gone = beside(folder, kGone);
    TRY_STATUS(clear_away(gone));
    TRY_STATUS(move_to(folder, gone));
    return clear_away(gone);
}

void sweep_leftovers(const fs::path& parent) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(parent, ignored)) {
        const std::string name = entry.path().filename().string();
        const bool ours = name.starts_with('.') && (name.ends_with(kNew) || name.ends_with(kGone));
        if (ours) {
            fs::remove_all(entry.path(), ignored);
        } else if (name.starts_with('.') && name.ends_with(kOld)) {
            const std::string inner = name.substr(1, name.size() - 1 - kOld.size());
            if (fs::exists(parent / inner, ignored)) {
                fs::remove_all(entry.path(), ignored);
            } else {
                fs::rename(entry.path(), parent / inner, ignored);
            }
        }
    }
}

}  // namespace nexa::training
