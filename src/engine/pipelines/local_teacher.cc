// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numeric>
#include <utility>

#include <ATen/Context.h>

#include "core/file.h"
#include "core/sha256.h"
#include "engine/nets/generate.h"
#include "engine/nets/weights.h"
#include "engine/pipelines/teacher.h"
#include "models/text_codec.h"

namespace nexa::pipelines {

namespace {

constexpr std::size_t kBatch = 512;
constexpr std::uint64_t kConfigBytesMax = std::uint64_t{1} << 20U;

class LocalTeacher final : public Teacher {
public:
    struct Parts {
        nets::Decoder decoder;
        models::TextCodec codec;
        std::string identity;
    };
    LocalTeacher(Parts parts, const TeacherOptions& options, const CancelToken& cancel)
        : parts_(std::move(parts)), options_(options), cancel_(cancel) {}

    Result<std::vector<Answer>> answer(std::span<const Question> questions) override {
        std::vector<std::vector<std::int64_t>> prompts;
        prompts.reserve(questions.size());
        for (const Question& question : questions) {
            TRY(const auto ids, parts_.codec.encode_question(question.messages));
            prompts.emplace_back(ids.begin(), ids.end());
        }
        std::vector<std::size_t> order = fitting(prompts);
        std::ranges::sort(order, {}, [&](std::size_t i) {
            return std::pair(prompts[i].size(), i);
        });
        std::vector<Answer> answers(questions.size());
        for (std::size_t at = 0; at < order.size(); at += kBatch) {
            const auto batch = std::span(order).subspan(at, std::min(kBatch, order.size() - at));
            TRY_STATUS(answer_batch(batch, questions, prompts, answers));
        }
        return answers;
    }

    std::string identity() const override { return parts_.identity; }

private:
    /// The prompts after which there is room for a token.
    std::vector<std::size_t> fitting(const std::vector<std::vector<std::int64_t>>& prompts) const {
        const auto room = static_cast<std::size_t>(parts_.decoder.config().max_positions);
        std::vector<std::size_t> order(prompts.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::erase_if(order, [&](std::size_t i) {
            return prompts[i].empty() || prompts[i].size() >= room;
        });
        return order;
    }

    Status answer_batch(
        std::span<const std::size_t> batch,
        std::span<const Question> questions,
        const std::vector<std::vector<std::int64_t>>& prompts,
        std::vector<Answer>& answers
    ) const {
        nets::SamplingOptions sampling{
            .new_tokens_max = options_.new_tokens_max,
            .temperature = options_.temperature,
            .top_p = options_.top_p,
            .stop_ids = {parts_.codec.end_id()},
        };
        std::vector<std::vector<std::int64_t>> asked;
        for (const std::size_t i : batch) {
            asked.push_back(prompts[i]);
            sampling.seeds.push_back(questions[i].seed);
        }
        TRY(const auto said, nets::generate(parts_.decoder, asked, sampling, [this] {
                return cancel_.cancelled();
            }));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            const std::vector<std::int32_t> ids(said[i].tokens.begin(), said[i].tokens.end());
            TRY(std::string text, parts_.codec.decode(ids));
            answers[batch[i]] = {
                .text = std::move(text),
                .complete = said[i].finish_reason == nets::FinishReason::kStop,
                .prompt_tokens = static_cast<std::int64_t>(asked[i].size()),
                .completion_tokens = static_cast<std::int64_t>(ids.size()),
            };
        }
        return {};
    }

    Parts parts_;
    TeacherOptions options_;
    const CancelToken& cancel_;
};

/// Of the files that decide what the model says.
Result<std::string> digest_of(const std::filesystem::path& folder) {
    Sha256 hash;
    for (const std::string_view name : {"model.safetensors", "config.json", "tokenizer.json"}) {
        TRY(const std::string bytes,
            read_file(folder / name, name == "config.json" ? kConfigBytesMax : UINT64_MAX / 2));
        hash.update(bytes);
    }
    return hash.digest().hex();
}

}  // namespace

Result<std::unique_ptr<Teacher>> open_local_teacher(
    const std::filesystem::path& folder, const TeacherOptions& options, const CancelToken& cancel
) {
    TRY(nets::Decoder decoder, nets::load_decoder(folder));
    TRY(models::TextCodec codec, models::TextCodec::load(folder));
    TRY(std::string identity, digest_of(folder));
    if (at::globalContext().hasCUDA()) {
        decoder.to(at::Device(at::kCUDA));
    }
    return std::make_unique<LocalTeacher>(
        LocalTeacher::Parts{
            .decoder = std::move(decoder),
            .codec = std::move(codec),
            .identity = std::move(identity),
        },
        options,
        cancel
    );
}

}  // namespace nexa::pipelines
