// SPDX-License-Identifier: Apache-2.0
#include "gateway/usage_spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "core/json.h"
#include "core/os_error.h"

namespace nexa::gateway {

namespace {

/// The size up to and with the last line end.
Result<std::uint64_t> whole_lines(int fd, std::uint64_t size) {
    std::array<char, 4096> room;
    while (size > 0) {
        const std::uint64_t begin = size > room.size() ? size - room.size() : 0;
        const ssize_t got = ::pread(fd, room.data(), size - begin, static_cast<off_t>(begin));
        if (got < 0) {
            return os_error(errno, "read the usage spool");
        }
        const std::string_view text(room.data(), static_cast<std::size_t>(got));
        const std::size_t last = text.rfind('\n');
        if (last != std::string_view::npos) {
            return begin + last + 1;
        }
        size = begin;
    }
    return 0;
}

}  // namespace

Result<std::unique_ptr<UsageSpool>> UsageSpool::open(const std::filesystem::path& path) {
    constexpr mode_t kOwnerOnly = 0600;
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnly));
    struct stat about{};
    if (!file || ::fstat(file.get(), &about) != 0) {
        return os_error(errno, fmt::format("open {}", path.native()));
    }
    TRY(const std::uint64_t size,
        whole_lines(file.get(), static_cast<std::uint64_t>(about.st_size)));
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) {
        return os_error(errno, fmt::format("cut {}", path.native()));
    }
    return std::unique_ptr<UsageSpool>(new UsageSpool(path, std::move(file), size));
}

UsageSpool::UsageSpool(std::filesystem::path path, UniqueFd file, std::uint64_t size)
    : path_(std::move(path)), file_(std::move(file)), size_(size) {}

std::filesystem::path UsageSpool::sending_path() const {
    return path_.parent_path() / (path_.stem().native() + ".sending" + path_.extension().native());
}

std::filesystem::path UsageSpool::refused_path() const {
    return path_.parent_path() / (path_.stem().native() + ".refused" + path_.extension().native());
}

net::Task<bool> UsageSpool::set_aside() {
    co_return co_await net::run_on(pool_, [this] { return set_aside_now(); });
}

Result<bool> UsageSpool::set_aside_now() {
    const std::filesystem::path aside = sending_path();
    if (::access(aside.c_str(), F_OK) == 0) {
        return true;
    }
    if (size_ == 0) {
        return false;
    }
    if (::rename(path_.c_str(), aside.c_str()) != 0) {
        return os_error(errno, fmt::format("rename {}", path_.native()));
    }
    constexpr mode_t kOwnerOnly = 0600;
    UniqueFd fresh(::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerOnly));
    if (!fresh) {
        Error error = os_error(errno, fmt::format("make {}", path_.native()));
        // What comes next goes on in the old file, so it has to have the old name.
        static_cast<void>(::rename(aside.c_str(), path_.c_str()) == 0);
        return error;
    }
    file_ = std::move(fresh);
    size_ = 0;
    return true;
}

UsageSpool::~UsageSpool() {
    stop();
}

void UsageSpool::add(const UsageLine& line) {
    const std::string text = to_json(line) + "\n";
    bool is_lost = false;
    {
        const Lock lock(mutex_);
        is_lost = waiting_.size() + text.size() > kWaitingBytesMax;
        if (!is_lost) {
            waiting_ += text;
        }
        if (!is_scheduled_) {
            // A refusal means that stop() is under way, and it writes what waits.
            is_scheduled_ = pool_.submit([this] { write_waiting(); }).has_value();
        }
    }
    if (is_lost) {
        log_.error("usage is lost: too much of it waits for the disk", {{"line", text}});
    }
}

void UsageSpool::write_waiting() {
    std::string batch;
    {
        const Lock lock(mutex_);
        is_scheduled_ = false;
        batch.swap(waiting_);
    }
    if (batch.empty()) {
        return;
    }
    const Status written = write_batch(batch);
    if (!written) {
        log_.error("cannot write usage", {{"error", written.error().to_string()}});
        const Lock lock(mutex_);
        waiting_.insert(0, batch);
    }
}

Status UsageSpool::write_batch(std::string_view lines) {
    std::size_t done = 0;
    while (done < lines.size()) {
        const ssize_t count = ::pwrite(
            file_.get(), lines.data() + done, lines.size() - done, static_cast<off_t>(size_ + done)
        );
        if (count < 0 && errno != EINTR) {
            Error error = os_error(errno, "append to the usage spool");
            // A part of a line is worse than none. If not even this works, the next batch goes over
            // it.
            static_cast<void>(::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0);
            return error;
        }
        done += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    if (::fdatasync(file_.get()) != 0) {
        return os_error(errno, "flush the usage spool");
    }
    size_ += lines.size();
    return {};
}

void UsageSpool::stop() {
    pool_.stop();
    write_waiting();
}

}  // namespace nexa::gateway
