// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <utility>

#include <fmt/format.h>

#include "core/sha256.h"
#include "engine/pipelines/local_model.h"
#include "engine/pipelines/teacher.h"

namespace nexa::pipelines {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20U;

class LocalTeacher final : public Teacher {
public:
    LocalTeacher(
        nets::LanguageModel model,
        std::string identity,
        const TeacherOptions& options,
        const CancelToken& cancel
    )
        : model_(std::move(model)),
          identity_(std::move(identity)),
          options_(options),
          cancel_(cancel) {}

    Result<std::vector<Answer>> answer(std::span<const Question> questions) override {
        std::vector<ModelQuestion> asked;
        asked.reserve(questions.size());
        for (const Question& question : questions) {
            asked.push_back({.messages = question.messages, .seed = question.seed});
        }
        TRY(std::vector<ModelAnswer> said,
            answer_questions(
                model_,
                asked,
                {.new_tokens_max = options_.new_tokens_max,
                 .temperature = options_.temperature,
                 .top_p = options_.top_p},
                [this] { return cancel_.cancelled(); }
            ));
        std::vector<Answer> answers;
        answers.reserve(said.size());
        for (ModelAnswer& one : said) {
            answers.push_back(answer_of(std::move(one)));
        }
        return answers;
    }

    std::string identity() const override { return identity_; }

private:
    Answer answer_of(ModelAnswer said) const {
        if (said.end == AnswerEnd::kQuestionTooLong) {
            return {
                .failure = fmt::format(
                    "the question has {} tokens, and the teacher takes {}, the answer included",
                    said.question_tokens,
                    model_.decoder.config().max_positions
                )
            };
        }
        return {
            .text = std::move(said.text),
            .complete = said.end == AnswerEnd::kByItself,
            .prompt_tokens = said.question_tokens,
            .completion_tokens = said.answer_tokens,
        };
    }

    nets::LanguageModel model_;
    std::string identity_;
    TeacherOptions options_;
    const CancelToken& cancel_;
};

Status add_file(Sha256& hash, const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::string piece(kPieceBytes, '\0');
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0
    ) {
        hash.update(std::string_view(piece).substr(0, static_cast<std::size_t>(file.gcount())));
    }
    if (!file.eof()) {
        return Error::unavailable("cannot read {}", path.string());
    }
    return {};
}

/// Of the files that decide what the model says.
Result<std::string> digest_of(const std::filesystem::path& folder) {
    Sha256 hash;
    for (const std::string_view name : {"model.safetensors", "config.json", "tokenizer.json"}) {
        TRY_STATUS(add_file(hash, folder / name));
    }
    return hash.digest().hex();
}

}  // namespace

Result<std::unique_ptr<Teacher>> open_local_teacher(
    const std::filesystem::path& folder, const TeacherOptions& options, const CancelToken& cancel
) {
    TRY(nets::LanguageModel model, load_local_model(folder));
    TRY(std::string identity, digest_of(folder));
    return std::make_unique<LocalTeacher>(std::move(model), std::move(identity), options, cancel);
}

}  // namespace nexa::pipelines
