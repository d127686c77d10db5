// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "engine/pipelines/llm_client.h"
#include "engine/pipelines/teacher.h"

namespace nexa::pipelines {

namespace {

using protocol::LlmReply;
using protocol::LlmRequest;

constexpr std::string_view kCapped = "the cost cap is reached";

class EndpointTeacher final : public Teacher {
public:
    EndpointTeacher(LlmClient client, std::string name, const TeacherOptions& options)
        : client_(std::move(client)), name_(std::move(name)), options_(options) {}

    Result<std::vector<Answer>> answer(std::span<const Question> questions) override {
        std::vector<Answer> answers(questions.size());
        if (is_exhausted_) {
            for (Answer& answer : answers) {
                answer.failure = kCapped;
            }
            return answers;
        }
        std::vector<LlmRequest> requests;
        requests.reserve(questions.size());
        for (const Question& question : questions) {
            requests.push_back(request_of(question));
        }
        TRY(auto replies, client_.ask(std::move(requests)));
        for (std::size_t i = 0; i < replies.size(); ++i) {
            TRY(answers[i], answer_of(std::move(replies[i])));
        }
        return answers;
    }

    std::string identity() const override { return name_; }
    bool is_exhausted() const override { return is_exhausted_; }
    bool is_metered_elsewhere() const override { return true; }

private:
    LlmRequest request_of(const Question& question) const {
        LlmRequest request{
            .temperature = options_.temperature,
            .top_p = options_.top_p,
            .max_tokens = options_.new_tokens_max,
            .seed = question.seed,
        };
        for (const text::ChatMessage& message : question.messages) {
            request.messages.push_back({.role = message.role, .content = message.content});
        }
        return request;
    }

    Result<Answer> answer_of(LlmReply reply) {
        if (reply.error && is_cost_cap(*reply.error)) {
            is_exhausted_ = true;
            return Answer{.failure = std::string(kCapped)};
        }
        if (reply.error && is_about_one_request(*reply.error)) {
            return Answer{.failure = reply.error->message};
        }
        if (reply.error) {
            return to_error(*reply.error);
        }
        if (reply.choices.empty()) {
            return Answer{.failure = "the endpoint said nothing"};
        }
        return Answer{
            .text = std::move(reply.choices.front().text),
            .complete = reply.choices.front().finish_reason != "length",
            .prompt_tokens = reply.prompt_tokens,
            .completion_tokens = reply.completion_tokens,
        };
    }

    LlmClient client_;
    std::string name_;
    TeacherOptions options_;
    bool is_exhausted_ = false;
};

}  // namespace

Result<std::unique_ptr<Teacher>> open_endpoint_teacher(
    const std::filesystem::path& job_folder,
    const std::string& name,
    const TeacherOptions& options,
    const CancelToken& cancel,
    const Clock& clock
) {
    TRY(LlmClient client, LlmClient::connect(job_folder, cancel, clock));
    return std::make_unique<EndpointTeacher>(std::move(client), name, options);
}

}  // namespace nexa::pipelines
