// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "net/http_types.h"
#include "protocol/runner_frames.h"

namespace nexa::gateway {

/// Which of OpenAI's two endpoints for text.
enum class TextKind : std::uint8_t {
    kChat,        ///< /v1/chat/completions
    kCompletion,  ///< /v1/completions
};

/// What a body of either endpoint asks for.
struct TextRequest {
    TextKind kind = TextKind::kChat;
    std::string model;
    protocol::GenerateRequest generate;  ///< without an id
    bool stream = false;
    bool include_usage = false;  ///< a last chunk with the usage
};

/// Reads a body as OpenAI's API does. What would change the answer and is not supported is refused
/// by its name, unless it is set to what is the case anyway; what would not is passed over; a field
/// that nobody knows is refused, with the near name. `seed` is for a request that brings none.
///
/// The refusal is always a 400 with the place, and OpenAI's code for it.
std::expected<TextRequest, net::HttpError> parse_text_request(
    TextKind kind, std::string_view body, std::uint64_t seed
);

}  // namespace nexa::gateway
