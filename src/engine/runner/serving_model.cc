// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/serving_model.h"

#include <utility>

namespace nexa::runner {

namespace {

std::vector<std::int64_t> widened(const std::vector<std::int32_t>& ids) {
    return {ids.begin(), ids.end()};
}

std::vector<text::ChatMessage> turns_of(const protocol::GenerateRequest& request) {
    std::vector<text::ChatMessage> turns;
    turns.reserve(request.messages.size());
    for (const protocol::RunnerMessage& message : request.messages) {
        turns.push_back({.role = message.role, .content = message.content});
    }
    return turns;
}

}  // namespace

Result<ServingModel> ServingModel::load(const std::filesystem::path& folder) {
    TRY(nets::LanguageModel model, nets::load_language_model(folder));
    return ServingModel(std::move(model));
}

Result<std::vector<std::int64_t>> ServingModel::encode(const protocol::GenerateRequest& request
) const {
    std::vector<std::int64_t> ids;
    if (request.prompt) {
        ids = widened(model_.codec.tokenizer().encode(*request.prompt));
        if (ids.empty()) {
            ids.push_back(model_.codec.end_id());  // behind which, in training, a new text begins
        }
    } else {
        TRY(const auto question, model_.codec.encode_question(turns_of(request)));
        ids = widened(question);
    }
    const std::string_view param = request.prompt ? "prompt" : "messages";
    if (ids.empty()) {
        return Error::invalid_argument("it has no tokens").at(param);
    }
    const auto count = static_cast<std::int64_t>(ids.size());
    if (count >= max_positions()) {
        return Error::invalid_argument(
                   "it has {} tokens, and the model takes {}, the answer included",
                   count,
                   max_positions()
        )
            .at(param);
    }
    return ids;
}

std::string ServingModel::bytes_of(std::int64_t id) const {
    if (id >= model_.codec.tokenizer().vocabulary_size()) {
        return {};  // a vocabulary may be padded
    }
    const auto narrow = static_cast<std::int32_t>(id);
    return model_.codec.tokenizer().decode({&narrow, 1}, text::DecodeSpecial::kSkip).value_or("");
}

bool ServingModel::ends_with(std::int64_t id) const {
    return id == model_.codec.end_id() || id == model_.decoder.config().eos_id;
}

protocol::RunnerReady ServingModel::describe() const {
    const models::ModelConfig& config = model_.decoder.config();
    return {
        .max_positions = config.max_positions,
        .vocab = config.vocab,
        .parameters = config.parameter_count(),
        .chat_format =
            model_.codec.chat().format() == text::ChatFormat::kChatMl ? "chatml" : "plain",
    };
}

}  // namespace nexa::runner
