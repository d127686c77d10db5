// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"
#include "core/result.h"

namespace nexa::cli {

/// What a quickstart must know of an earlier run in the same folder. The jobs themselves are found
/// again by their idempotency keys.
struct QuickstartState {
    static constexpr std::string_view kName = "QuickstartState";
    std::string run_id;
    std::string data;
    std::string dataset_id;
    std::map<std::string, std::int64_t> failures;
    bool finished = false;

    static constexpr auto fields() {
        return std::tuple{
            field("run_id", &QuickstartState::run_id, "In the names of jobs and model").required(),
            field("data", &QuickstartState::data, "The user's path; empty: none"),
            field("dataset_id", &QuickstartState::dataset_id, "What the user's data became"),
            field(
                "failures",
                &QuickstartState::failures,
                "By step: jobs of it that failed, so that the next try is another one"
            ),
            field("finished", &QuickstartState::finished, "True: the next run begins anew"),
        };
    }
};

/// From `dir`/quickstart.json; none if there is no such file. Errors: kMalformed.
Result<std::optional<QuickstartState>> read_state(const std::filesystem::path& dir);
/// Whole or not at all. Errors: kUnavailable (disk full).
Status write_state(const std::filesystem::path& dir, const QuickstartState& state);

}  // namespace nexa::cli
