// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/generation_set.h"

#include <algorithm>
#include <utility>

#include "core/guard.h"

namespace nexa::runner {

protocol::RunnerFailed failure_of(std::string id, const Error& error) {
    return {
        .id = std::move(id),
        .code = std::string(to_string(error.code)),
        .message = error.message,
        .param = error.param,
    };
}

Status GenerationSet::add(Client client, const protocol::GenerateRequest& request) {
    const auto is_same = [&](const Entry& entry) {
        return entry.client == client && entry.id == request.id;
    };
    if (std::ranges::any_of(active_, is_same) || std::ranges::any_of(waiting_, is_same)) {
        return Error::conflict("request {} is being answered already", request.id);
    }
    if (waiting_.size() >= limits_.waiting_max && active_.size() >= limits_.active_max) {
        return Error::resource_exhausted(
            "{} requests are being answered and {} wait already", active_.size(), waiting_.size()
        );
    }
    TRY(Sequence sequence, Sequence::create(model_, request));
    waiting_.push_back({.client = client, .id = request.id, .sequence = std::move(sequence)});
    fill();
    return {};
}

void GenerationSet::fill() {
    while (active_.size() < limits_.active_max && !waiting_.empty()) {
        active_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
}

void GenerationSet::drop_if(const std::function<bool(const Entry&)>& is_meant) {
    std::erase_if(active_, is_meant);
    std::erase_if(waiting_, is_meant);
    fill();
}

void GenerationSet::cancel(Client client, std::string_view id) {
    drop_if([&](const Entry& entry) { return entry.client == client && entry.id == id; });
}

void GenerationSet::drop_client(Client client) {
    drop_if([&](const Entry& entry) { return entry.client == client; });
}

bool GenerationSet::advance(Entry& entry, const Emit& emit) {
    Sequence& sequence = entry.sequence;
    // Out of memory ends this answer; the others go on.
    Result<Sequence::Step> step = guard([&] { return sequence.advance(); });
    if (!step) {
        emit(entry.client, failure_of(entry.id, step.error()));
        return false;
    }
    if (!step->text.empty()) {
        emit(
            entry.client,
            protocol::RunnerDelta{
                .id = entry.id,
                .text = std::move(step->text),
                .prompt_tokens = sequence.prompt_tokens(),
                .token_count = sequence.completion_tokens(),
            }
        );
    }
    const auto& finish = step->finish;
    if (!finish) {
        return true;
    }
    emit(
        entry.client,
        protocol::RunnerDone{
            .id = entry.id,
            .finish_reason = *finish == nets::FinishReason::kStop ? "stop" : "length",
            .prompt_tokens = sequence.prompt_tokens(),
            .completion_tokens = sequence.completion_tokens(),
        }
    );
    return false;
}

bool GenerationSet::advance_all(const Emit& emit, const MayAdvance& may_advance) {
    bool any = false;
    std::vector<Entry> remaining;
    for (Entry& entry : active_) {
        if (!may_advance(entry.client)) {
            remaining.push_back(std::move(entry));
            continue;
        }
        any = true;
        if (advance(entry, emit)) {
            remaining.push_back(std::move(entry));
        }
    }
    active_ = std::move(remaining);
    fill();
    return any;
}

}  // namespace nexa::runner
