// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "engine/nets/language_model.h"
#include "protocol/runner_frames.h"

namespace nexa::runner {

/// A model's folder in memory: weights and text. Used by the one thread that owns the model.
class ServingModel {
public:
    /// Blocks. Errors: those of nets::load_language_model(); libtorch's exceptions pass through.
    static Result<ServingModel> load(const std::filesystem::path& folder);

    const nets::Decoder& decoder() const { return model_.decoder; }
    std::int64_t max_positions() const { return model_.decoder.config().max_positions; }

    /// The ids that a request is to be continued from; never empty. Errors: kInvalidArgument at
    /// "messages" or "prompt": an unknown role, or more tokens than the model takes with one more.
    Result<std::vector<std::int64_t>> encode(const protocol::GenerateRequest& request) const;
    /// The bytes of a generated id: none for special ones, or for one that is beyond the tokenizer.
    std::string bytes_of(std::int64_t id) const;
    /// True if an answer ends with this id.
    bool ends_with(std::int64_t id) const;

    protocol::RunnerReady describe() const;

private:
    explicit ServingModel(nets::LanguageModel model) : model_(std::move(model)) {}

    nets::LanguageModel model_;
};

}  // namespace nexa::runner
