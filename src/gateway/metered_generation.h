// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "gateway/generation.h"
#include "gateway/usage_spool.h"

namespace nexa::gateway {

/// An answer under way whose usage is written down once, when it is let go of, however that comes:
/// what its runner has counted by then, whether or not anybody has read it. The spool outlives it.
class MeteredGeneration {
public:
    /// `line` says whose request it is; its counts are filled in.
    MeteredGeneration(
        std::unique_ptr<RunningGeneration> running, UsageSpool& spool, UsageLine line
    );
    ~MeteredGeneration();
    MeteredGeneration(const MeteredGeneration&) = delete;
    MeteredGeneration& operator=(const MeteredGeneration&) = delete;

    net::Task<GenerationStep> next() { return running_->next(); }

private:
    std::unique_ptr<RunningGeneration> running_;
    UsageSpool& spool_;
    UsageLine line_;
};

}  // namespace nexa::gateway
