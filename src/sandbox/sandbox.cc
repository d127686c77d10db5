// SPDX-License-Identifier: Apache-2.0
#include "sandbox/sandbox.h"

#include <array>
#include <utility>

#include "core/check.h"
#include "sandbox/process_sandbox_internal.h"

namespace nexa::sandbox {

namespace {

struct KindRow {
    Kind kind;
    std::string_view name;
    /// Null: this build does not hold it.
    std::unique_ptr<Sandbox> (*make)(const SandboxOptions&);
};

constexpr std::array<KindRow, 3> kKinds{{
    {Kind::kProcess, "process", make_process_sandbox},
    {Kind::kBubblewrap, "bubblewrap", nullptr},
    {Kind::kOci, "oci", nullptr},
}};

const KindRow& row_of(Kind kind) {
    for (const KindRow& row : kKinds) {
        if (row.kind == kind) {
            return row;
        }
    }
    NEXA_CHECK(false);
}

}  // namespace

std::string_view to_string(Kind kind) {
    return row_of(kind).name;
}

std::optional<Kind> kind_from(std::string_view name) {
    for (const KindRow& row : kKinds) {
        if (row.name == name) {
            return row.kind;
        }
    }
    return std::nullopt;
}

std::string_view to_string(Ending ending) {
    switch (ending) {
        case Ending::kExited:
            return "exited";
        case Ending::kSignaled:
            return "signaled";
        case Ending::kMemory:
            return "memory";
        case Ending::kTime:
            return "time";
        case Ending::kCpuTime:
            return "cpu_time";
        case Ending::kDisk:
            return "disk";
        case Ending::kProcesses:
            return "processes";
        case Ending::kKilled:
            return "killed";
        case Ending::kLost:
            return "lost";
    }
    NEXA_CHECK(false);
}

Probe probe_sandbox(Kind kind, const SandboxOptions& options) {
    const KindRow& row = row_of(kind);
    if (row.make == nullptr) {
        return {
            .kind = kind,
            .available = false,
            .reason = "this build does not contain it",
            .features = {},
        };
    }
    return row.make(options)->probe();
}

Result<std::unique_ptr<Sandbox>> make_sandbox(Kind kind, const SandboxOptions& options) {
    const Probe probe = probe_sandbox(kind, options);
    if (!probe.available) {
        return Error::unavailable(
            "sandbox '{}' is not available here: {}", to_string(kind), probe.reason
        );
    }
    return row_of(kind).make(options);
}

}  // namespace nexa::sandbox
