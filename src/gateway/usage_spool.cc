// SPDX-License-Identifier: Apache-2.0
#include "gateway/usage_spool.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/json.h"
#include "core/os_error.h"

namespace nexa::gateway {

Result<std::unique_ptr<UsageSpool>> UsageSpool::open(const std::filesystem::path& path) {
    TRY(LineFile file, LineFile::open(path, TornEnd::kCutAway));
    return std::unique_ptr<UsageSpool>(new UsageSpool(path, std::move(file)));
}

UsageSpool::UsageSpool(std::filesystem::path path, LineFile file)
    : path_(std::move(path)), file_(std::move(file)) {}

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
    if (file_.size() == 0) {
        return false;
    }
    if (::rename(path_.c_str(), aside.c_str()) != 0) {
        return os_error(errno, fmt::format("rename {}", path_.native()));
    }
    auto fresh = LineFile::open(path_, TornEnd::kCutAway);
    if (!fresh) {
        // What comes next goes on in the old file, so it has to have the old name.
        static_cast<void>(::rename(aside.c_str(), path_.c_str()) == 0);
        return std::move(fresh).error();
    }
    file_ = *std::move(fresh);
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
    const Status written = file_.append(batch);
    if (!written) {
        log_.error("cannot write usage", {{"error", written.error().to_string()}});
        const Lock lock(mutex_);
        waiting_.insert(0, batch);
    }
}

void UsageSpool::stop() {
    pool_.stop();
    write_waiting();
}

}  // namespace nexa::gateway
