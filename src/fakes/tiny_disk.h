// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/check.h"
#include "core/file.h"
#include "core/os_error.h"

namespace nexa::fakes {

namespace internal {

/// In a child process: a mount namespace of its own with a tmpfs at `folder`; 0 or errno.
inline int mount_tiny_disk(const std::filesystem::path& folder, std::size_t size) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return errno;
    }
    // Private first: nothing of ours may show outside.
    const std::string options = fmt::format("size={},mode=700", size);
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) != 0) {
        return errno;
    }
    return 0;
}

}  // namespace internal

/// Runs `body` in a child process in which `folder`, which exists, is a real disk (tmpfs) of `size`
/// bytes, and returns the text that it returned. Call it before any thread is started.
/// Errors: any, where the machine allows no mounts: skip the test then.
template <class Body>
Result<std::string> on_tiny_disk(
    const std::filesystem::path& folder, std::size_t size, Body&& body
) {
    auto pipe = make_pipe();
    if (!pipe) {
        return std::move(pipe).error();
    }
    constexpr int kNoDisk = 77;
    const pid_t child = ::fork();
    if (child == 0) {
        if (const int error = internal::mount_tiny_disk(folder, size); error != 0) {
            ::_exit(kNoDisk);
        }
        const std::string text = std::forward<Body>(body)();
        const Status told = write_all(pipe->write_end.get(), text, "tell the parent");
        ::_exit(told ? 0 : 1);
    }
    NEXA_CHECK(child > 0);
    pipe->write_end.reset();
    std::string text;
    std::array<char, 4096> room{};
    for (ssize_t got = 0; (got = ::read(pipe->read_end.get(), room.data(), room.size())) > 0;) {
        text.append(room.data(), static_cast<std::size_t>(got));
    }
    int status = 0;
    NEXA_CHECK(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kNoDisk) {
        return Error::unavailable("this machine lets us mount no small disk");
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? text : "the child process died: " + text;
}

}  // namespace nexa::fakes
