// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/fields.h"
#include "protocol/engine.h"

namespace nexa::protocol {

// How an engine asks a teacher or a judge: over DIR/llm.sock, a Unix socket that its worker offers
// when the job's spec names an endpoint. One LlmRequest a line from the engine, one LlmReply a line
// back for each, in any order. A line that is no request ends the connection after a reply with
// id 0.

/// Name of the socket in the job's folder.
inline constexpr std::string_view kLlmSocketName = "llm.sock";
/// Of one line with its end, either way.
inline constexpr std::size_t kLlmLineBytesMax = std::size_t{8} << 20U;
/// Requests of one connection that have no reply yet; the worker reads no further meanwhile.
inline constexpr std::size_t kLlmOutstandingMax = 64;
/// `param` of the error that says: the job's max_cost_usd is reached. Asking again does not help.
inline constexpr std::string_view kCostCapParam = "max_cost_usd";

struct LlmMessage {
    static constexpr std::string_view kName = "LlmMessage";
    std::string role;
    std::string content;

    bool operator==(const LlmMessage&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("role", &LlmMessage::role, "Who says it")
                .required()
                .one_of({"system", "user", "assistant"}),
            field("content", &LlmMessage::content, "What is said").required(),
        };
    }
};

struct LlmRequest {
    static constexpr std::string_view kName = "LlmRequest";
    std::int64_t id = 0;
    std::string endpoint;
    std::vector<LlmMessage> messages;
    double temperature = 1;
    double top_p = 1;
    int max_tokens = 256;
    std::optional<std::uint64_t> seed;
    int n = 1;
    std::vector<std::string> stop;

    bool operator==(const LlmRequest&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &LlmRequest::id, "Comes back in the reply; 1 or more")
                .required()
                .within(1, INT64_MAX),
            field(
                "endpoint",
                &LlmRequest::endpoint,
                "As the job's spec names it; empty if it names just one"
            )
                .length(0, 2048),
            field("messages", &LlmRequest::messages, "The conversation so far")
                .required()
                .length(1, 1000),
            field("temperature", &LlmRequest::temperature, "0 is greedy").within(0, 2),
            field("top_p", &LlmRequest::top_p, "Nucleus").within(0, 1),
            field("max_tokens", &LlmRequest::max_tokens, "Longest answer")
                .within(1, 131072)
                .unit("tokens"),
            field("seed", &LlmRequest::seed, "Of the sampling, for endpoints that take one"),
            field("n", &LlmRequest::n, "Answers wanted").within(1, 256),
            field("stop", &LlmRequest::stop, "Texts that end an answer").length(0, 16),
        };
    }
};

struct LlmChoice {
    static constexpr std::string_view kName = "LlmChoice";
    std::string text;
    std::string finish_reason;

    bool operator==(const LlmChoice&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("text", &LlmChoice::text, "The answer").required(),
            field(
                "finish_reason", &LlmChoice::finish_reason, "stop, length, or the endpoint's own"
            ),
        };
    }
};

struct LlmReply {
    static constexpr std::string_view kName = "LlmReply";
    std::int64_t id = 0;
    std::vector<LlmChoice> choices;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double cost_usd = 0;
    bool from_cache = false;
    std::optional<EngineError> error;

    bool operator==(const LlmReply&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &LlmReply::id, "Of the request; 0: of a line that was none").required(),
            field("choices", &LlmReply::choices, "As many as asked for; none with an error"),
            field("prompt_tokens", &LlmReply::prompt_tokens, "As the endpoint counts"),
            field("completion_tokens", &LlmReply::completion_tokens, "Of all choices"),
            field("cost_usd", &LlmReply::cost_usd, "By the operator's prices; 0 from the cache")
                .unit("USD"),
            field("from_cache", &LlmReply::from_cache, "Whether nobody was asked"),
            field("error", &LlmReply::error, "Why there is no answer"),
        };
    }
};

/// What a job's payload, of whatever type, says to its worker about endpoints.
struct LlmTerms {
    static constexpr std::string_view kName = "LlmTerms";
    double max_cost_usd = 0;

    static constexpr auto fields() {
        return std::tuple{
            field("max_cost_usd", &LlmTerms::max_cost_usd, "The job's cost cap; 0: none")
                .within(0, 1'000'000)
                .unit("USD"),
        };
    }
};

}  // namespace nexa::protocol
