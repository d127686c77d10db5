// SPDX-License-Identifier: Apache-2.0
#include "worker/hardware.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "core/child_process.h"
#include "core/file.h"
#include "core/trim.h"
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

/// Mebibytes as nvidia-smi writes them; 0 for "[N/A]", as boards say that share the main memory.
std::int64_t mebibytes(std::string_view text) {
    constexpr std::int64_t kMost = std::int64_t{1} << 30U;
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    return read.ec == std::errc() && value > 0 && value < kMost ? value : 0;
}

/// The first line that says anything.
std::string first_line(std::string_view text) {
    constexpr std::size_t kLineMax = 200;
    const std::string_view said = trimmed(text);
    return quotable(trimmed(said.substr(0, said.find('\n'))), kLineMax);
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

void parse_gpus(std::string_view csv, protocol::HardwareProfile& profile) {
    constexpr int kGpusMax = 1024;
    constexpr std::int64_t kMebibyte = std::int64_t{1} << 20U;
    std::int64_t least = INT64_MAX;
    while (!csv.empty() && profile.gpus < kGpusMax) {
        const std::string_view line = csv.substr(0, csv.find('\n'));
        csv.remove_prefix(std::min(csv.size(), line.size() + 1));
        const std::size_t comma = line.rfind(',');
        if (comma == std::string_view::npos || trimmed(line.substr(0, comma)).empty()) {
            continue;
        }
        if (profile.gpus++ == 0) {
            profile.gpu_model = quotable(trimmed(line.substr(0, comma)), kTextMax);
        }
        least = std::min(least, mebibytes(trimmed(line.substr(comma + 1))));
    }
    if (profile.gpus > 0) {
        profile.gpu_memory_bytes = least * kMebibyte;
    }
}

GpuAnswer ask_gpus(const std::string& search_path) {
    constexpr std::chrono::seconds kTimeMax{10};
    CaptureOptions options{.output_bytes_max = 65536, .timeout = kTimeMax};
    if (!search_path.empty()) {
        options.environment["PATH"] = search_path;
    }
    const auto asked = run_and_capture(
        {"nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"}, options
    );
    if (!asked) {
        switch (asked.error().code) {
            case ErrorCode::kNotFound:
                return {};
            case ErrorCode::kDeadlineExceeded:
                return {
                    .is_installed = true,
                    .failure = fmt::format("nvidia-smi did not answer within {}", kTimeMax),
                };
            default:
                return {.is_installed = true, .failure = asked.error().message};
        }
    }
    if (!asked->status.success()) {
        const std::string said =
            first_line(asked->output.empty() ? asked->error_output : asked->output);
        return {
            .is_installed = true,
            .failure = fmt::format(
                "nvidia-smi ended with {}{}{}",
                asked->status.to_string(),
                said.empty() ? "" : ": ",
                said
            ),
        };
    }
    return {.is_installed = true, .csv = asked->output};
}

protocol::HardwareProfile read_hardware(
    const std::filesystem::path& folder, const GpuAnswer& gpus
) {
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
    parse_gpus(gpus.csv, profile);
    return profile;
}

}  // namespace nexa::worker
