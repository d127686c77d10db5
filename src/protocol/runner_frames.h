// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "core/fields.h"
#include "core/result.h"

namespace nexa::protocol {

// What is said on the Unix socket of `nexa-engine serve DIR`: one JSON object a line, each way. The
// peer says hello and is answered with ready; after that any number of requests may run side by
// side, each under an id that the peer chose, and their answers come interleaved.

/// Raised when a reader of the old frames would misunderstand the new ones.
inline constexpr int kRunnerProtocolVersion = 1;
/// Of one line, either way.
inline constexpr std::size_t kRunnerFrameBytesMax = std::size_t{16} << 20U;
inline constexpr std::size_t kRunnerStopsMax = 4;

struct RunnerHello {
    static constexpr std::string_view kName = "RunnerHello";
    static constexpr std::string_view kType = "hello";
    int version = kRunnerProtocolVersion;

    bool operator==(const RunnerHello&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("version", &RunnerHello::version, "Version of this protocol").required()
        };
    }
};

struct RunnerMessage {
    static constexpr std::string_view kName = "RunnerMessage";
    std::string role;
    std::string content;

    bool operator==(const RunnerMessage&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("role", &RunnerMessage::role, "system, user, assistant or tool").required(),
            field("content", &RunnerMessage::content, "Text").required(),
        };
    }
};

/// Continues a conversation (`messages`) or a text (`prompt`): one of the two.
struct GenerateRequest {
    static constexpr std::string_view kName = "GenerateRequest";
    static constexpr std::string_view kType = "generate";
    std::string id;
    std::vector<RunnerMessage> messages;
    std::optional<std::string> prompt;
    std::optional<std::int64_t> max_new_tokens;
    double temperature = 1.0;
    double top_p = 1.0;
    std::uint64_t seed = 0;
    std::vector<std::string> stop;

    bool operator==(const GenerateRequest&) const = default;
    Status validate() const;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &GenerateRequest::id, "Of the request, unique on its connection")
                .required()
                .length(1, 128),
            field("messages", &GenerateRequest::messages, "A conversation to answer"),
            field("prompt", &GenerateRequest::prompt, "A text to go on with; may be empty"),
            field(
                "max_new_tokens",
                &GenerateRequest::max_new_tokens,
                "Absent, or more than there is room for: to the model's last position"
            )
                .within(1, INT64_MAX),
            field("temperature", &GenerateRequest::temperature, "0: always the likeliest token")
                .within(0, 100),
            field("top_p", &GenerateRequest::top_p, "Draw among the likeliest with this much")
                .within(0, 1),
            field("seed", &GenerateRequest::seed, "Same seed and request, same answer"),
            field("stop", &GenerateRequest::stop, "Texts that end the answer, not part of it")
                .length(0, kRunnerStopsMax),
        };
    }
};

/// Frees what the request holds. It is not answered any more.
struct CancelRequest {
    static constexpr std::string_view kName = "CancelRequest";
    static constexpr std::string_view kType = "cancel";
    std::string id;

    bool operator==(const CancelRequest&) const = default;
    static constexpr auto fields() {
        return std::tuple{field("id", &CancelRequest::id, "Of the request").required()};
    }
};

/// A line to the runner.
using RunnerAsk = std::variant<RunnerHello, GenerateRequest, CancelRequest>;

struct RunnerReady {
    static constexpr std::string_view kName = "RunnerReady";
    static constexpr std::string_view kType = "ready";
    int version = kRunnerProtocolVersion;
    std::int64_t max_positions = 0;
    std::int64_t vocab = 0;
    std::int64_t parameters = 0;
    std::string chat_format;
    int active_max = 0;
    int waiting_max = 0;

    bool operator==(const RunnerReady&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("version", &RunnerReady::version, "Version of this protocol").required(),
            field("max_positions", &RunnerReady::max_positions, "Prompt and answer together")
                .required()
                .unit("tokens"),
            field("vocab", &RunnerReady::vocab, "Size of the vocabulary").required(),
            field("parameters", &RunnerReady::parameters, "Trainable numbers"),
            field("chat_format", &RunnerReady::chat_format, "chatml or plain"),
            field("active_max", &RunnerReady::active_max, "Requests that advance together"),
            field("waiting_max", &RunnerReady::waiting_max, "Requests that may wait"),
        };
    }
};

/// More of an answer. Whole characters; never the beginning of what may become a stop text.
struct RunnerDelta {
    static constexpr std::string_view kName = "RunnerDelta";
    static constexpr std::string_view kType = "delta";
    std::string id;
    std::string text;
    std::int64_t prompt_tokens = 0;
    std::int64_t token_count = 0;

    bool operator==(const RunnerDelta&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &RunnerDelta::id, "Of the request").required(),
            field("text", &RunnerDelta::text, "To be appended").required(),
            field("prompt_tokens", &RunnerDelta::prompt_tokens, "Read").required(),
            field("token_count", &RunnerDelta::token_count, "Tokens generated so far").required(),
        };
    }
};

struct RunnerDone {
    static constexpr std::string_view kName = "RunnerDone";
    static constexpr std::string_view kType = "done";
    std::string id;
    std::string finish_reason;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;

    bool operator==(const RunnerDone&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &RunnerDone::id, "Of the request").required(),
            field("finish_reason", &RunnerDone::finish_reason, "stop or length")
                .required()
                .one_of({"stop", "length"}),
            field("prompt_tokens", &RunnerDone::prompt_tokens, "Read").required(),
            field("completion_tokens", &RunnerDone::completion_tokens, "Generated").required(),
        };
    }
};

/// The end of a request that cannot be answered, or, with an empty id, of the conversation.
struct RunnerFailed {
    static constexpr std::string_view kName = "RunnerFailed";
    static constexpr std::string_view kType = "failed";
    std::string id;
    std::string code;
    std::string message;
    std::string param;

    bool operator==(const RunnerFailed&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("id", &RunnerFailed::id, "Of the request").required(),
            field("code", &RunnerFailed::code, "A name of core/error_code.h").required(),
            field("message", &RunnerFailed::message, "What went wrong").required(),
            field("param", &RunnerFailed::param, "Which part of the request"),
        };
    }
};

/// A line from the runner.
using RunnerSays = std::variant<RunnerReady, RunnerDelta, RunnerDone, RunnerFailed>;

/// One line with its line end. Frames hold no line breaks: JSON escapes them.
std::string to_frame(const RunnerAsk& ask);
std::string to_frame(const RunnerSays& says);

/// Errors: kMalformed, kInvalidArgument. Unknown keys are passed over: the peer may be newer.
Result<RunnerAsk> read_ask(std::string_view line);
Result<RunnerSays> read_says(std::string_view line);

/// Cuts a stream of bytes into lines. Not thread-safe.
class FrameSplitter {
public:
    explicit FrameSplitter(std::size_t frame_bytes_max = kRunnerFrameBytesMax)
        : frame_bytes_max_(frame_bytes_max) {}

    /// The lines that `bytes` complete, without their ends; empty ones are left out. Errors:
    /// kResourceExhausted if one is longer than the limit: nothing behind it can be trusted.
    Result<std::vector<std::string>> feed(std::string_view bytes);

private:
    std::size_t frame_bytes_max_;
    std::string begun_;
};

}  // namespace nexa::protocol
