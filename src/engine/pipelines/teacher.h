// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/result.h"
#include "text/chat_template.h"

namespace nexa::pipelines {

/// A conversation that asks for its next turn, and from which the draws of the answer come.
struct Question {
    std::vector<text::ChatMessage> messages;
    std::uint64_t seed = 0;
};

struct Answer {
    std::string text;
    bool complete = false;  ///< it ended by itself, not at the limit
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::string failure = {};  ///< why there is no answer; empty: there is one

    bool operator==(const Answer&) const = default;
};

struct TeacherOptions {
    double temperature = 0;  ///< 0: always the likeliest token
    double top_p = 1;
    int new_tokens_max = 256;
};

/// A model that answers questions: a local one, or an endpoint behind the worker. One thread.
class Teacher {
public:
    virtual ~Teacher() = default;
    Teacher() = default;
    Teacher(const Teacher&) = delete;
    Teacher& operator=(const Teacher&) = delete;

    /// An answer for each question, in their order. One that gets none, such as one that is too
    /// long for the model, is told why. Blocks. Errors: kCancelled, kUnavailable, the endpoint's
    /// own.
    virtual Result<std::vector<Answer>> answer(std::span<const Question> questions) = 0;
    /// What it is, for a cache: with another text, other answers.
    virtual std::string identity() const = 0;
    /// It answers nothing more: a cost cap is reached.
    virtual bool is_exhausted() const { return false; }
    /// Its tokens are counted by the worker: a runner must not report them again.
    virtual bool is_metered_elsewhere() const { return false; }
};

/// The model in a folder. Answers as answer_questions() does. Errors: those of
/// nets::load_language_model().
Result<std::unique_ptr<Teacher>> open_local_teacher(
    const std::filesystem::path& folder, const TeacherOptions& options, const CancelToken& cancel
);

/// The endpoint called `name`, behind the socket that the worker offers in the job's folder.
/// Errors: those of LlmClient::connect().
Result<std::unique_ptr<Teacher>> open_endpoint_teacher(
    const std::filesystem::path& job_folder,
    const std::string& name,
    const TeacherOptions& options,
    const CancelToken& cancel,
    const Clock& clock
);

}  // namespace nexa::pipelines
