// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/local_model.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <ATen/Context.h>

#include "engine/nets/generate.h"

namespace nexa::pipelines {

namespace {

using nets::LanguageModel;
using Ids = std::vector<std::int64_t>;

/// Where small models are fastest; larger ones are held back by their caches first.
constexpr std::int64_t kBatchRowsMax = 1024;
constexpr std::int64_t kBatchCacheBytesMax = std::int64_t{512} << 20U;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// One batch after the other, shortest questions first.
class Batches {
public:
    Batches(const LanguageModel& model, const AnswerOptions& options, std::vector<Ids> questions)
        : config_(model.decoder.config()), options_(options), questions_(std::move(questions)) {
        order_.resize(questions_.size());
        std::iota(order_.begin(), order_.end(), std::size_t{0});
        std::erase_if(order_, [&](std::size_t i) { return !fits(i); });
        std::ranges::sort(order_, {}, [&](std::size_t i) {
            return std::pair{questions_[i].size(), i};
        });
    }

    /// Whether there is room for an answer's first token.
    bool fits(std::size_t i) const {
        return !questions_[i].empty() && std::cmp_less(questions_[i].size(), config_.max_positions);
    }

    /// Numbers of the questions that come next; empty at the end.
    std::span<const std::size_t> next() {
        std::size_t end = begin_;
        while (end < order_.size() && can_take(end - begin_, questions_[order_[end]].size())) {
            ++end;
        }
        const auto batch = std::span(order_).subspan(begin_, end - begin_);
        begin_ = end;
        return batch;
    }

    const Ids& operator[](std::size_t i) const { return questions_[i]; }

private:
    /// Whether a batch of so many rows can take one more, the longest so far.
    bool can_take(std::size_t rows, std::size_t length) const {
        const std::int64_t positions = std::min(
            static_cast<std::int64_t>(length) + options_.new_tokens_max, config_.max_positions
        );
        const std::int64_t row_bytes = 2 * config_.layers * config_.kv_heads * config_.head_dim *
                                       positions * static_cast<std::int64_t>(sizeof(float));
        const auto taken = static_cast<std::int64_t>(rows) + 1;
        return rows == 0 || (taken <= kBatchRowsMax && taken * row_bytes <= kBatchCacheBytesMax);
    }

    const models::ModelConfig& config_;
    const AnswerOptions& options_;
    std::vector<Ids> questions_;
    std::vector<std::size_t> order_;
    std::size_t begin_ = 0;
};

/// A model may have more ids than its tokenizer has texts for.
Result<std::string> text_of(const models::TextCodec& codec, std::span<const std::int64_t> tokens) {
    std::string text;
    std::vector<std::int32_t> known;
    const auto flush = [&]() -> Status {
        TRY(const std::string part, codec.decode(known));
        text += part;
        known.clear();
        return {};
    };
    for (const std::int64_t token : tokens) {
        if (token < codec.tokenizer().vocabulary_size()) {
            known.push_back(static_cast<std::int32_t>(token));
        } else {
            TRY_STATUS(flush());
            text += kReplacement;
        }
    }
    TRY_STATUS(flush());
    return text;
}

Result<std::vector<Ids>> encode(
    const LanguageModel& model, std::span<const ModelQuestion> questions
) {
    std::vector<Ids> encoded;
    encoded.reserve(questions.size());
    for (const ModelQuestion& question : questions) {
        TRY(const auto ids, model.codec.encode_question(question.messages));
        encoded.emplace_back(ids.begin(), ids.end());
    }
    return encoded;
}

}  // namespace

std::string_view to_string(AnswerEnd end) {
    switch (end) {
        case AnswerEnd::kByItself:
            return "stop";
        case AnswerEnd::kCutOff:
            return "length";
        case AnswerEnd::kQuestionTooLong:
            break;
    }
    return "question_too_long";
}

Result<nets::LanguageModel> load_local_model(const std::filesystem::path& folder) {
    TRY(LanguageModel model, nets::load_language_model(folder));
    if (at::globalContext().hasCUDA()) {
        model.decoder.to(at::Device(at::kCUDA));
    }
    return model;
}

Result<std::vector<ModelAnswer>> answer_questions(
    const nets::LanguageModel& model,
    std::span<const ModelQuestion> questions,
    const AnswerOptions& options,
    const std::function<bool()>& stop_requested,
    const AnswerProgress& progress
) {
    TRY(std::vector<Ids> encoded, encode(model, questions));
    Batches batches(model, options, std::move(encoded));
    std::vector<ModelAnswer> answers(questions.size());
    std::int64_t answered = 0;
    for (std::size_t i = 0; i < questions.size(); ++i) {
        answers[i].question_tokens = static_cast<std::int64_t>(batches[i].size());
        if (!batches.fits(i)) {
            answers[i].end = AnswerEnd::kQuestionTooLong;
            ++answered;
        }
    }
    for (auto batch = batches.next(); !batch.empty(); batch = batches.next()) {
        nets::SamplingOptions sampling{
            .new_tokens_max = options.new_tokens_max,
            .temperature = options.temperature,
            .top_p = options.top_p,
            .stop_ids = {model.codec.end_id()},
        };
        std::vector<Ids> asked;
        for (const std::size_t i : batch) {
            asked.push_back(batches[i]);
            sampling.seeds.push_back(questions[i].seed);
        }
        TRY(const auto said, nets::generate(model.decoder, asked, sampling, stop_requested));
        for (std::size_t k = 0; k < batch.size(); ++k) {
            ModelAnswer& answer = answers[batch[k]];
            TRY(answer.text, text_of(model.codec, said[k].tokens));
            answer.end = said[k].finish_reason == nets::FinishReason::kStop ? AnswerEnd::kByItself
                                                                            : AnswerEnd::kCutOff;
            answer.answer_tokens = static_cast<std::int64_t>(said[k].tokens.size());
        }
        answered += static_cast<std::int64_t>(batch.size());
        if (progress) {
            TRY_STATUS(progress(answered));
        }
    }
    return answers;
}

}  // namespace nexa::pipelines
