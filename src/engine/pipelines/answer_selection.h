// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "engine/columnar/dataset_reader.h"
#include "engine/pipelines/teacher.h"

namespace nexa::pipelines {

/// Which of several answers is kept.
enum class Selection : std::uint8_t {
    kVerifier,  ///< the first that is right, by the domain's own check or the row's answer
    kMajority,  ///< the one given most often, of equals the first
    kFirst,
};

Selection selection_from(std::string_view name);

struct Selected {
    std::optional<std::size_t> answer;  ///< its number, if one is kept
    std::string reason;                 ///< why none is
};

/// Chooses among the complete answers to a row; white space around them does not count. Errors:
/// kInvalidArgument if a verifier is asked for and the row has neither a built-in domain nor an
/// answer of its own.
Result<Selected> select_answer(
    const columnar::SourceRow& row, std::span<const Answer> answers, Selection selection
);

}  // namespace nexa::pipelines
