// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/clock.h"
#include "core/fields.h"
#include "core/json_text.h"
#include "core/result.h"
#include "core/sha256.h"

namespace nexa {

/// Bytes that a run has read or written.
struct RunFile {
    std::string uri;
    Sha256Digest digest;
    Bytes size{};

    friend bool operator==(const RunFile&, const RunFile&) = default;
    static constexpr auto fields() {
        return std::tuple{
            field("uri", &RunFile::uri, "Where it lay").required().length(1, 4096),
            field("digest", &RunFile::digest, "SHA-256 of its bytes").required(),
            field("size", &RunFile::size, "Length").unit("bytes").required(),
        };
    }
};

/// Which code ran.
struct RunCode {
    std::string version;  ///< of the program
    std::string git_commit;
    bool git_dirty = false;

    friend bool operator==(const RunCode&, const RunCode&) = default;
    static constexpr auto fields() {
        return std::tuple{
            field("version", &RunCode::version, "Version of the program"),
            field("git_commit", &RunCode::git_commit, "Commit; empty outside a working tree")
                .length(0, 64),
            field("git_dirty", &RunCode::git_dirty, "Whether tracked files differed from it"),
        };
    }
};

struct RunGpu {
    std::string model;
    Bytes memory{};

    friend bool operator==(const RunGpu&, const RunGpu&) = default;
    static constexpr auto fields() {
        return std::tuple{
            field("model", &RunGpu::model, "Product name").required(),
            field("memory", &RunGpu::memory, "Memory").unit("bytes"),
        };
    }
};

struct RunHardware {
    std::string cpu_model;
    int cores = 0;  ///< usable by the run
    Bytes memory{};
    std::vector<RunGpu> gpus;

    friend bool operator==(const RunHardware&, const RunHardware&) = default;
    static constexpr auto fields() {
        return std::tuple{
            field("cpu_model", &RunHardware::cpu_model, "Product name of the processor"),
            field("cores", &RunHardware::cores, "Processors usable by the run"),
            field("memory", &RunHardware::memory, "Memory of the machine").unit("bytes"),
            field("gpus", &RunHardware::gpus, "Accelerators used"),
        };
    }
};

/// Where a run went on from.
struct RunResume {
    std::string checkpoint;
    std::int64_t step = 0;

    friend bool operator==(const RunResume&, const RunResume&) = default;
    static constexpr auto fields() {
        return std::tuple{
            field("checkpoint", &RunResume::checkpoint, "Id of the checkpoint").required(),
            field("step", &RunResume::step, "Steps done before").required(),
        };
    }
};

/// What there is to know about one run, as runs/<id>/manifest.json: with the same code, config and
/// inputs it can be done again. The layout is schema version 4, docs/formats/run_manifest.md.
/// A value; not thread-safe, but several may save to one path at once.
struct RunManifest {
    static constexpr int kSchemaVersion = 4;

    int schema_version = kSchemaVersion;
    std::string run_id;
    Timestamp created_at;
    std::optional<Timestamp> started_at;
    std::optional<Timestamp> finished_at;
    RunCode code;
    JsonText config;  ///< resolved: every default spelled out
    std::string dataset_version;
    std::vector<RunFile> inputs;
    std::vector<RunFile> outputs;
    std::vector<RunFile> shards;
    RunHardware hardware;
    int world_size = 1;
    TokenCount tokens_processed{};
    std::map<std::string, std::optional<double>> metrics;  ///< empty: not a number, or infinite
    std::optional<int> exit_status;
    std::string error;
    std::optional<RunResume> resumed_from;

    /// Errors: kMalformed (no JSON), kInvalidArgument (another schema version, a wrong or unknown
    /// field).
    static Result<RunManifest> parse(std::string_view json);

    /// Reads a file of at most 64 MiB. Blocks. Errors: those of read_file and parse, with the path.
    static Result<RunManifest> load(const std::filesystem::path& path);

    /// Writes the file as a whole, and its folder if need be; the same content gives the same
    /// bytes, and a file that holds them already is left alone. So it may be called any number of
    /// times, from any number of threads and processes. Blocks.
    /// Errors: kInvalidArgument (load would refuse it), those of write_file_atomically.
    Status save(const std::filesystem::path& path) const;

    Status validate() const;

    friend bool operator==(const RunManifest&, const RunManifest&) = default;
    static constexpr auto fields();
};

constexpr auto RunManifest::fields() {
    using M = RunManifest;
    return std::tuple{
        field("schema_version", &M::schema_version, "Layout of this file").required(),
        field("run_id", &M::run_id, "Name of the run").required(),
        field("created_at", &M::created_at, "When it was asked for").required(),
        field("started_at", &M::started_at, "When it began"),
        field("finished_at", &M::finished_at, "When it ended, well or not"),
        field("code", &M::code, "Which code ran"),
        field("config", &M::config, "Settings of the run, with all defaults").required(),
        field("dataset_version", &M::dataset_version, "Version of the dataset"),
        field("inputs", &M::inputs, "What was read"),
        field("outputs", &M::outputs, "What was written"),
        field("shards", &M::shards, "Parts of the dataset that were read"),
        field("hardware", &M::hardware, "What it ran on"),
        field("world_size", &M::world_size, "Processes that took part").within(1, 1 << 20),
        field("tokens_processed", &M::tokens_processed, "Tokens seen").unit("tokens"),
        field("metrics", &M::metrics, "Last value of each"),
        field("exit_status", &M::exit_status, "0 if it went well"),
        field("error", &M::error, "What went wrong"),
        field("resumed_from", &M::resumed_from, "Where it went on from"),
    };
}

/// This machine's processor and memory as the calling process may use them; gpus stays empty.
/// What the system does not tell stays empty or 0.
RunHardware read_hardware();

}  // namespace nexa
