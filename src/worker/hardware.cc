// SPDX-License-Identifier: Apache-2.0
#include "worker/hardware.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "core/file.h"
#include "core/utf8.h"

namespace nexa::worker {

namespace {

constexpr std::size_t kTextMax = 255;

/// Files of /proc have no size beforehand.
std::string read_proc(const char* path) {
    constexpr std::size_t kBytesMax = 65536;
    std::string text;
    const UniqueFd fd(::open(path, O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> room;
    while (fd && text.size() < kBytesMax) {
        const ssize_t got = ::read(fd.get(), room.data(), room.size());
        if (got <= 0) {
            break;
        }
        text.append(room.data(), static_cast<std::size_t>(got));
    }
    return text;
}

/// What stands behind "name:" at the start of a line.
std::string_view value_of(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t colon = line.find(':');
        if (line.starts_with(name) && colon != std::string_view::npos) {
            std::string_view value = line.substr(colon + 1);
            value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
            return value;
        }
    }
    return {};
}

int usable_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof(set), &set) == 0) {
        return std::max(1, CPU_COUNT(&set));
    }
    return static_cast<int>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
}

}  // namespace

std::int64_t parse_memory_total(std::string_view meminfo) {
    constexpr std::int64_t kKibibyte = 1024;
    constexpr std::int64_t kMost = std::int64_t{1} << 40U;
    const std::string_view value = value_of(meminfo, "MemTotal");
    std::int64_t kibibytes = 0;
    const auto read = std::from_chars(value.data(), value.data() + value.size(), kibibytes);
    return read.ec == std::errc() && kibibytes > 0 && kibibytes < kMost ? kibibytes * kKibibyte : 0;
}

std::string parse_cpu_model(std::string_view cpuinfo) {
    return quotable(value_of(cpuinfo, "model name"), kTextMax);
}

protocol::HardwareProfile read_hardware(const std::filesystem::path& folder) {
    protocol::HardwareProfile profile;
    std::array<char, kTextMax + 1> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) {
        profile.hostname = quotable(name.data(), kTextMax);
    }
    profile.cpu_model = parse_cpu_model(read_proc("/proc/cpuinfo"));
    profile.cpus = usable_cpus();
    profile.memory_bytes = parse_memory_total(read_proc("/proc/meminfo"));
    if (const auto free = available_bytes(folder)) {
        constexpr std::uint64_t kMost = 1ULL << 60U;
        profile.disk_bytes = static_cast<std::int64_t>(std::min(*free, kMost));
    }
    return profile;
}

}  // namespace nexa::worker
