// SPDX-License-Identifier: Apache-2.0
#include "core/run_manifest.h"

#include <sched.h>

#include <charconv>

#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/storage_paths.h"

namespace nexa {

NEXA_JSON_CODEC(RunManifest);

/// Read first: in another version nothing else need be where it is here.
struct RunManifestHead {
    int schema_version = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("schema_version", &RunManifestHead::schema_version, "Layout of this file")
                .required()
        };
    }
};
NEXA_JSON_CODEC(RunManifestHead);

namespace {

constexpr std::uint64_t kFileBytesMax = 64 << 20;
constexpr std::uint64_t kProcFileBytesMax = 16 << 20;

/// What stands behind "KEY" and a colon in a file of /proc; empty if there is no such line.
std::string_view value_of(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || !line.starts_with(key) ||
            line.substr(key.size(), colon - key.size()).find_first_not_of(" \t") !=
                std::string_view::npos) {
            continue;
        }
        const std::string_view value = line.substr(colon + 1);
        return value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
    }
    return {};
}

int usable_cores() {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}

}  // namespace

Status RunManifest::validate() const {
    if (auto status = check_path_id(run_id); !status) {
        return std::move(status).error().at("run_id");
    }
    if (!config.text.starts_with('{')) {
        return Error::invalid_argument("must be an object").at("config");
    }
    return {};
}

Result<RunManifest> RunManifest::parse(std::string_view json) {
    DecodeOptions any_keys;
    any_keys.unknown_keys = UnknownKeys::kIgnore;
    TRY(const auto head, from_json<RunManifestHead>(json, any_keys));
    if (head.schema_version != kSchemaVersion) {
        return Error::invalid_argument(
                   "run manifest has schema version {}, and only version {} can be read",
                   head.schema_version,
                   kSchemaVersion
        )
            .at("schema_version")
            .hint(
                head.schema_version > kSchemaVersion
                    ? "read it with the newer program that wrote it"
                    : "run it again with this program"
            );
    }
    return from_json<RunManifest>(json);
}

Result<RunManifest> RunManifest::load(const std::filesystem::path& path) {
    TRY(const std::string text, read_file(path, kFileBytesMax));
    auto manifest = parse(text);
    if (!manifest) {
        return std::move(manifest).error().while_doing(
            fmt::format("read run manifest '{}'", path.string())
        );
    }
    return manifest;
}

Status RunManifest::save(const std::filesystem::path& path) const {
    const std::string text = to_json(*this) + "\n";
    // What could not be read back would be found out when it is needed, so it is found out now.
    if (auto readable = parse(text); !readable) {
        return std::move(readable).error().while_doing(
            fmt::format("write run manifest '{}'", path.string())
        );
    }
    if (const auto before = read_file(path, text.size()); before && *before == text) {
        return {};
    }
    if (path.has_parent_path()) {
        TRY_STATUS(make_folders(path.parent_path()));
    }
    return write_file_atomically(path, text);
}

RunHardware read_hardware() {
    RunHardware hardware;
    hardware.cores = usable_cores();
    if (const auto processors = read_file("/proc/cpuinfo", kProcFileBytesMax)) {
        hardware.cpu_model = value_of(*processors, "model name");
    }
    if (const auto memory = read_file("/proc/meminfo", kProcFileBytesMax)) {
        const std::string_view text = value_of(*memory, "MemTotal");  // "24684096 kB"
        std::int64_t kilobytes = 0;
        std::from_chars(text.data(), text.data() + text.size(), kilobytes);
        hardware.memory = Bytes(kilobytes * 1024);
    }
    return hardware;
}

}  // namespace nexa
