// SPDX-License-Identifier: Apache-2.0
#include "sandbox/disk_usage_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <set>
#include <vector>

#include "core/check.h"
#include "core/file.h"
#include "core/os_error.h"

namespace nexa::sandbox {

namespace {

constexpr std::uint64_t kBlockBytes = 512;  // of st_blocks, whatever the file system's own

struct CloseFolder {
    void operator()(DIR* folder) const { closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

int fd_of(const Folder& folder) {
    const int fd = dirfd(folder.get());
    NEXA_CHECK(fd >= 0);
    return fd;
}

/// Null if it is gone or closed to us.
Folder open_folder(int parent, const char* name) {
    UniqueFd fd(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    Folder folder(fd ? fdopendir(fd.get()) : nullptr);
    if (folder) {
        static_cast<void>(fd.release());
    }
    return folder;
}

bool is_dots(const char* name) {
    const std::string_view text = name;
    return text == "." || text == "..";
}

/// A walk without recursion and without paths, so neither depth nor length can break it.
class Walk {
public:
    Walk(const WalkBounds& bounds, dev_t device) : bounds_(bounds), device_(device) {}

    DiskUsage run(Folder root) {
        stack_.push_back(std::move(root));
        while (!stack_.empty() && usage_.exceeded.empty()) {
            DIR* folder = stack_.back().get();
            const dirent* entry = readdir(folder);  // NOLINT(concurrency-mt-unsafe): our own DIR
            if (entry == nullptr) {
                stack_.pop_back();
            } else if (!is_dots(entry->d_name)) {
                visit(dirfd(folder), entry->d_name);
            }
        }
        return std::move(usage_);
    }

private:
    void visit(int folder, const char* name) {
        struct stat status{};
        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_dev != device_) {
            return;
        }
        if (++usage_.entries > bounds_.entries_max) {
            usage_.exceeded = fmt::format("more than {} files", bounds_.entries_max);
            return;
        }
        const bool is_folder = S_ISDIR(status.st_mode);
        const bool is_linked = !is_folder && status.st_nlink > 1;
        if (!is_linked || linked_.insert(status.st_ino).second) {
            usage_.bytes += static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
        }
        if (!is_folder) {
            return;
        }
        if (stack_.size() >= static_cast<std::size_t>(bounds_.depth_max)) {
            usage_.exceeded = fmt::format("folders more than {} deep", bounds_.depth_max);
            return;
        }
        if (Folder below = open_folder(folder, name)) {
            stack_.push_back(std::move(below));
        }
    }

    WalkBounds bounds_;
    dev_t device_;
    std::vector<Folder> stack_;
    std::set<ino_t> linked_;
    DiskUsage usage_;
};

}  // namespace

Result<DiskUsage> measure_folder(const std::filesystem::path& folder, const WalkBounds& bounds) {
    struct stat status{};
    Folder root = open_folder(AT_FDCWD, folder.c_str());
    if (!root || fstat(fd_of(root), &status) != 0) {
        return os_error(errno, fmt::format("measure folder '{}'", folder.string()));
    }
    return Walk(bounds, status.st_dev).run(std::move(root));
}

std::uint64_t measure_deleted_files(
    const std::filesystem::path& folder,
    std::span<const ProcessEntry> processes,
    const WalkBounds& bounds
) {
    struct stat home{};
    if (stat(folder.c_str(), &home) != 0) {
        return 0;
    }
    std::set<ino_t> seen;
    std::uint64_t bytes = 0;
    std::uint64_t looked_at = 0;
    for (const ProcessEntry& process : processes) {
        const std::string fds = fmt::format("/proc/{}/fd", process.pid);
        const Folder folder_of_fds = open_folder(AT_FDCWD, fds.c_str());
        const dirent* entry = nullptr;
        while (folder_of_fds && looked_at < bounds.entries_max &&
               // NOLINTNEXTLINE(concurrency-mt-unsafe): our own DIR
               (entry = readdir(folder_of_fds.get())) != nullptr) {
            ++looked_at;
            struct stat status{};
            const bool counts = !is_dots(entry->d_name) &&
                                fstatat(fd_of(folder_of_fds), entry->d_name, &status, 0) == 0 &&
                                S_ISREG(status.st_mode) && status.st_nlink == 0 &&
                                status.st_dev == home.st_dev;
            if (counts && seen.insert(status.st_ino).second) {
                bytes += static_cast<std::uint64_t>(status.st_blocks) * kBlockBytes;
            }
        }
    }
    return bytes;
}

}  // namespace nexa::sandbox
