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

    /// An answer for each question, in their order. A question that is too long for the model gets
    /// an empty, incomplete one. Blocks. Errors: kCancelled, kResourceExhausted (a cost cap),
    /// kUnavailable.
    virtual Result<std::vector<Answer>> answer(std::span<const Question> questions) = 0;
    /// What it is, for a cache: with another text, other answers.
    virtual std::string identity() const = 0;
};

/// The model in a folder, as nets::load_decoder and TextCodec::load read it. Answers in batches of
/// several hundred, questions of like length together. Errors: those of the files.
Result<std::unique_ptr<Teacher>> open_local_teacher(
    const std::filesystem::path& folder, const TeacherOptions& options, const CancelToken& cancel
);

}  // namespace nexa::pipelines
