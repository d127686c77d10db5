// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"

namespace nexa::cli {

struct ChatMessage {
    std::string role;  ///< "system", "user" or "assistant"
    std::string content;
};

/// One turn of a conversation with a model behind a gateway.
struct ChatQuestion {
    std::string base_url;  ///< of the OpenAI API: "http://127.0.0.1:8080/v1"
    std::string model;
    std::vector<ChatMessage> messages;
    std::optional<int> max_tokens = {};
    std::optional<double> temperature = {};
    std::optional<std::int64_t> seed = {};
};

/// Asks for the next turn, in the name of the session's key, and hands the answer on as it comes.
/// Returns all of it. Blocks. Errors: the gateway's, kUnavailable (no connection, or it broke).
Result<std::string> stream_answer(
    Session& session,
    const ChatQuestion& question,
    const std::function<void(std::string_view)>& on_text
);

}  // namespace nexa::cli
