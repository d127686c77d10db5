// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "core/result.h"
#include "engine/nets/parameters.h"
#include "engine/training/smoothing.h"

namespace nexa::training {

class AdamW;

/// Where a run stands, beside weights and moments. What decides the order of examples is in it, so
/// that a checkpoint of another run is refused.
struct TrainState {
    std::int64_t step = 0;  ///< updates applied
    std::uint64_t seed = 0;
    std::int64_t batch_size = 0;
    std::uint64_t examples = 0;
    std::uint64_t fingerprint = 0;  ///< of the examples
    std::int64_t tokens = 0;        ///< read so far
    double loss = 0.0;              ///< of the last update
    SmootherState smoother;
    std::vector<std::uint8_t> generator;  ///< libtorch's, see generator_state()

    bool operator==(const TrainState&) const = default;
};

/// Writes model.safetensors, optimizer.safetensors and state.json, and what `add_files` adds, into
/// `folder`, made or replaced as one: killed at any moment, `folder` holds a whole checkpoint, the
/// old or the new. On disk when it returns. One writer at a time. Errors: kUnavailable, or
/// add_files'.
Status save_checkpoint(
    const std::filesystem::path& folder,
    const nets::Parameters& parameters,
    const AdamW& optimizer,
    const TrainState& state,
    const std::function<Status(const std::filesystem::path&)>& add_files = {}
);

/// Reads it back into `parameters` and `optimizer`. Errors: kNotFound, kMalformed, kInvalidArgument
/// (of another model), kUnavailable; then weights and moments may be mixed and must not be used.
Result<TrainState> load_checkpoint(
    const std::filesystem::path& folder, const nets::Parameters& parameters, AdamW& optimizer
);

/// The folder of a run's checkpoint after `step` updates: "step-00000100" in `run_folder`.
std::filesystem::path checkpoint_folder(const std::filesystem::path& run_folder, std::int64_t step);

/// The one with the most steps; none if the folder has none or does not exist. Errors:
/// kUnavailable.
Result<std::optional<std::filesystem::path>> newest_checkpoint(
    const std::filesystem::path& run_folder
);

/// Removes all but the `keep` newest, and what crashes have left. Errors: kUnavailable.
Status prune_checkpoints(const std::filesystem::path& run_folder, std::int64_t keep);

}  // namespace nexa::training
