// SPDX-License-Identifier: Apache-2.0
#include "gateway/metered_generation.h"

#include <utility>

namespace nexa::gateway {

MeteredGeneration::MeteredGeneration(
    std::unique_ptr<RunningGeneration> running, UsageSpool& spool, UsageLine line
)
    : running_(std::move(running)), spool_(spool), line_(std::move(line)) {}

MeteredGeneration::~MeteredGeneration() {
    const TokenCounts tokens = running_->tokens();
    if (tokens == TokenCounts{}) {
        return;  // its runner never got to it
    }
    line_.prompt_tokens = tokens.prompt;
    line_.completion_tokens = tokens.completion;
    spool_.add(line_);
}

}  // namespace nexa::gateway
