// SPDX-License-Identifier: Apache-2.0
#include "gateway/generation.h"

#include <utility>

namespace nexa::gateway {

std::optional<Result<GenerationStep>> Generation::take() {
    const Lock lock(mutex_);
    // What was said before an error still counts.
    if (pending_.text.empty() && error_) {
        return Result<GenerationStep>(*error_);
    }
    if (pending_.text.empty() && !pending_.finish_reason) {
        return std::nullopt;
    }
    GenerationStep step = pending_;
    pending_.text.clear();
    return Result<GenerationStep>(std::move(step));
}

net::Task<GenerationStep> Generation::next() {
    while (true) {
        if (auto step = take()) {
            co_return std::move(*step);
        }
        CO_TRY_STATUS(co_await net::await_callback<void>([this](net::Done<void> done) {
            call_when_there(std::move(done));
        }));
    }
}

void Generation::call_when_there(net::Done<void> done) {
    {
        const Lock lock(mutex_);
        if (pending_.text.empty() && !pending_.finish_reason && !error_) {
            reader_ = std::move(done);
            return;
        }
    }
    done({});
}

void Generation::append(const protocol::RunnerDelta& delta) {
    {
        const Lock lock(mutex_);
        pending_.text += delta.text;
        pending_.tokens = {.prompt = delta.prompt_tokens, .completion = delta.token_count};
    }
    wake();
}

void Generation::finish(const protocol::RunnerDone& done) {
    {
        const Lock lock(mutex_);
        if (pending_.finish_reason || error_) {
            return;
        }
        pending_.tokens = {.prompt = done.prompt_tokens, .completion = done.completion_tokens};
        pending_.finish_reason = done.finish_reason;
    }
    wake();
}

void Generation::fail(Error error) {
    {
        const Lock lock(mutex_);
        if (pending_.finish_reason || error_) {
            return;
        }
        error_ = std::move(error);
    }
    wake();
}

TokenCounts Generation::tokens() const {
    const Lock lock(mutex_);
    return pending_.tokens;
}

void Generation::wake() {
    std::optional<net::Done<void>> reader;
    {
        const Lock lock(mutex_);
        reader = std::exchange(reader_, std::nullopt);
    }
    if (reader) {
        (*reader)({});
    }
}

}  // namespace nexa::gateway
