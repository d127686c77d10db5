// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <utility>

#include "gateway/body_fields_internal.h"

namespace nexa::gateway {

namespace {

using Kind = ValueNode::Kind;

constexpr std::size_t kModelBytesMax = 256;
constexpr std::size_t kMessagesMax = 4096;
constexpr std::size_t kStopBytesMax = 1024;
/// OpenAI's own default for completions; a chat goes on to the end of the model's context.
constexpr std::int64_t kCompletionTokens = 16;

/// What a field may be set to although it is not supported: then it changes nothing.
enum Harmless : unsigned {
    kFalse = 1U,
    kZero = 2U,
    kOne = 4U,
    kEmpty = 8U,  ///< string, array or object
    kAutoOrNone = 16U,
};

struct Unsupported {
    std::string_view name;
    unsigned harmless;
};

constexpr std::array<Unsupported, 7> kUnsupported{{
    {"n", kOne},
    {"logprobs", kFalse},
    {"logit_bias", kEmpty},
    {"presence_penalty", kZero},
    {"frequency_penalty", kZero},
    {"top_k", kZero},
    {"min_p", kZero},
}};
constexpr std::array<Unsupported, 8> kUnsupportedInChats{{
    {"top_logprobs", kZero},
    {"tools", kEmpty},
    {"tool_choice", kAutoOrNone},
    {"functions", kEmpty},
    {"function_call", kAutoOrNone},
    {"audio", kEmpty},
    {"web_search_options", 0U},
    {"reasoning_effort", kAutoOrNone},
}};
constexpr std::array<Unsupported, 3> kUnsupportedInCompletions{{
    {"best_of", kOne},
    {"echo", kFalse},
    {"suffix", kEmpty},
}};
/// These change nothing in the answer.
constexpr std::array<std::string_view, 9> kPassedOver{
    "user",
    "store",
    "metadata",
    "service_tier",
    "parallel_tool_calls",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
    "prediction",
};

/// However it is written: 1, 1.0, -0.0.
bool is_number(const ValueNode& value, double wanted) {
    double number = 0;
    const auto [end, failed] =
        std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
    return failed == std::errc() && number == wanted;
}

bool is_harmless(const ValueNode& value, unsigned harmless) {
    switch (value.kind) {
        case Kind::kBool:
            return (harmless & kFalse) != 0 && value.text == "false";
        case Kind::kNumber:
            return ((harmless & kZero) != 0 && is_number(value, 0.0)) ||
                   ((harmless & kOne) != 0 && is_number(value, 1.0));
        case Kind::kString:
            return ((harmless & kEmpty) != 0 && value.text.empty()) ||
                   ((harmless & kAutoOrNone) != 0 && (value.text == "auto" || value.text == "none")
                   );
        case Kind::kArray:
        case Kind::kObject:
            return (harmless & kEmpty) != 0 && value.items.empty();
        default:
            return false;
    }
}

net::HttpError not_supported(const std::string& place) {
    return refused_field(
        "unsupported_parameter",
        Error::invalid_argument("{} with this value is not supported here", place).at(place)
    );
}

void refuse_unsupported(BodyFields& fields, std::span<const Unsupported> rows) {
    for (const Unsupported& row : rows) {
        const ValueNode* value = fields.take(row.name);
        if (value != nullptr && !is_harmless(*value, row.harmless)) {
            fields.refuse(not_supported(fields.at(row.name)));
        }
    }
}

/// Text is what comes anyway.
void check_output_form(BodyFields& fields) {
    if (const ValueNode* format = fields.take("response_format")) {
        const ValueNode* type = format->find("type");
        if (type == nullptr || type->text != "text") {
            fields.refuse(not_supported("response_format"));
        }
    }
    if (const ValueNode* modalities = fields.take("modalities")) {
        const bool is_text = std::ranges::all_of(modalities->items, [](const ValueNode& modality) {
            return modality.text == "text";
        });
        if (modalities->kind != Kind::kArray || !is_text) {
            fields.refuse(not_supported("modalities"));
        }
    }
}

/// A string, or an array of parts of type text.
std::string read_content(BodyFields& message) {
    const ValueNode* content = message.require("content");
    if (content == nullptr || content->kind == Kind::kString) {
        return content == nullptr ? "" : content->text;
    }
    if (content->kind != Kind::kArray) {
        message.refuse_type("content", "a string or an array of parts");
        return {};
    }
    std::string text;
    for (std::size_t i = 0; i < content->items.size(); ++i) {
        const ValueNode& part = content->items[i];
        const ValueNode* type = part.find("type");
        const ValueNode* piece = part.find("text");
        const std::string place = fmt::format("{}[{}]", message.at("content"), i);
        if (type == nullptr || type->text != "text") {
            message.refuse(not_supported(place + ".type"));
        } else if (piece == nullptr || piece->kind != Kind::kString) {
            message.refuse(refused_field(
                "invalid_type",
                Error::invalid_argument("{}.text must be a string", place).at(place + ".text")
            ));
        } else {
            text += piece->text;
        }
    }
    return text;
}

protocol::RunnerMessage read_message(
    BodyFields& fields, const ValueNode& node, const std::string& place
) {
    if (node.kind != Kind::kObject) {
        fields.refuse_type(place, "an object");
        return {};
    }
    BodyFields message(node, place);
    protocol::RunnerMessage read;
    message.require("role");
    read.role = message.text("role").value_or("");
    if (read.role == "developer") {
        read.role = "system";  // newer models' word for the same
    }
    if (read.role != "system" && read.role != "user" && read.role != "assistant" &&
        read.role != "tool") {
        message.refuse(refused_field(
            "invalid_value",
            Error::invalid_argument(
                "{} must be system, developer, user, assistant or tool", message.at("role")
            )
                .at(message.at("role"))
        ));
    }
    constexpr std::array<Unsupported, 4> kOfMessages{{
        {"tool_calls", kEmpty},
        {"function_call", kEmpty},
        {"audio", kEmpty},
        {"refusal", kEmpty},
    }};
    refuse_unsupported(message, kOfMessages);
    read.content = read_content(message);
    for (const std::string_view name : {"name", "tool_call_id", "annotations"}) {
        message.take(name);
    }
    message.refuse_the_rest();
    if (const auto& refusal = message.refusal()) {
        fields.refuse(*refusal);
    }
    return read;
}

void read_messages(BodyFields& fields, protocol::GenerateRequest& generate) {
    const ValueNode* messages = fields.require("messages");
    if (messages == nullptr) {
        return;
    }
    if (messages->kind != Kind::kArray) {
        fields.refuse_type("messages", "an array");
        return;
    }
    if (messages->items.empty() || messages->items.size() > kMessagesMax) {
        fields.refuse(refused_field(
            messages->items.empty() ? "empty_array" : "array_above_max_length",
            Error::invalid_argument("messages must be 1 to {}", kMessagesMax).at("messages")
        ));
        return;
    }
    for (std::size_t i = 0; i < messages->items.size(); ++i) {
        const std::string place = fmt::format("messages[{}]", i);
        generate.messages.push_back(read_message(fields, messages->items[i], place));
    }
}

/// One text, alone or in an array. Absent is the start of a document, as with OpenAI.
void read_prompt(BodyFields& fields, protocol::GenerateRequest& generate) {
    const ValueNode* prompt = fields.take("prompt");
    generate.prompt = "";
    if (prompt == nullptr) {
        return;
    }
    if (prompt->kind == Kind::kArray && prompt->items.size() == 1) {
        prompt = &prompt->items.front();
    }
    if (prompt->kind == Kind::kString) {
        generate.prompt = prompt->text;
        return;
    }
    fields.refuse(refused_field(
        "unsupported_value",
        Error::invalid_argument("prompt must be one string: neither several nor token ids are "
                                "supported here")
            .at("prompt")
    ));
}

void read_stop(BodyFields& fields, std::vector<std::string>& stop) {
    const ValueNode* value = fields.take("stop");
    if (value == nullptr) {
        return;
    }
    const bool is_array = value->kind == Kind::kArray;
    const std::span<const ValueNode> items =
        is_array ? std::span(value->items) : std::span(value, 1);
    if (items.size() > protocol::kRunnerStopsMax) {
        fields.refuse(refused_field(
            "array_above_max_length",
            Error::invalid_argument("stop takes up to {} texts", protocol::kRunnerStopsMax)
                .at("stop")
        ));
        return;
    }
    for (const ValueNode& item : items) {
        if (item.kind != Kind::kString) {
            fields.refuse_type("stop", "a string or an array of strings");
        } else if (item.text.empty() || item.text.size() > kStopBytesMax) {
            fields.refuse(refused_field(
                "invalid_value",
                Error::invalid_argument("a stop text must have 1 to {} bytes", kStopBytesMax)
                    .at("stop")
            ));
        }
        stop.push_back(item.text);
    }
}

void read_length(BodyFields& fields, TextKind kind, protocol::GenerateRequest& generate) {
    generate.max_new_tokens = fields.whole("max_tokens", 1);
    if (kind == TextKind::kCompletion) {
        generate.max_new_tokens = generate.max_new_tokens.value_or(kCompletionTokens);
        return;
    }
    const auto newer = fields.whole("max_completion_tokens", 1);
    if (newer && generate.max_new_tokens) {
        fields.refuse(refused_field(
            "invalid_value",
            Error::invalid_argument("give max_tokens or max_completion_tokens, not both")
                .at("max_tokens")
        ));
    }
    generate.max_new_tokens = newer ? newer : generate.max_new_tokens;
}

void read_streaming(BodyFields& fields, TextRequest& request) {
    request.stream = fields.flag("stream").value_or(false);
    const ValueNode* options = fields.take("stream_options");
    if (options == nullptr) {
        return;
    }
    if (options->kind != Kind::kObject || !request.stream) {
        fields.refuse(refused_field(
            "invalid_value",
            Error::invalid_argument("stream_options is an object, and only for a stream")
                .at("stream_options")
        ));
        return;
    }
    BodyFields inner(*options, "stream_options");
    request.include_usage = inner.flag("include_usage").value_or(false);
    inner.take("include_obfuscation");
    inner.refuse_the_rest();
    if (const auto& refusal = inner.refusal()) {
        fields.refuse(*refusal);
    }
}

void read_sampling(BodyFields& fields, std::uint64_t seed, protocol::GenerateRequest& generate) {
    constexpr double kHottest = 2.0;
    generate.temperature = fields.number("temperature", 0.0, kHottest).value_or(1.0);
    generate.top_p = fields.number("top_p", 0.0, 1.0).value_or(1.0);
    const auto given = fields.whole("seed", INT64_MIN);
    generate.seed = given ? static_cast<std::uint64_t>(*given) : seed;
}

void read_model(BodyFields& fields, TextRequest& request) {
    fields.require("model");
    request.model = fields.text("model").value_or("");
    if (request.model.empty() || request.model.size() > kModelBytesMax) {
        fields.refuse(refused_field(
            "invalid_value",
            Error::invalid_argument("model must have 1 to {} bytes", kModelBytesMax).at("model")
        ));
    }
}

}  // namespace

std::expected<TextRequest, net::HttpError> parse_text_request(
    TextKind kind, std::string_view body, std::uint64_t seed
) {
    const auto parsed = parse_json(body);
    if (!parsed) {
        return std::unexpected(
            refused_field("invalid_json", Error(parsed.error()).while_doing("read the body"))
        );
    }
    if (parsed->kind != Kind::kObject) {
        return std::unexpected(
            refused_field("invalid_json", Error::invalid_argument("the body must be an object"))
        );
    }
    BodyFields fields(*parsed, "");
    TextRequest request{.kind = kind};
    read_model(fields, request);
    if (kind == TextKind::kChat) {
        read_messages(fields, request.generate);
        refuse_unsupported(fields, kUnsupportedInChats);
        check_output_form(fields);
        fields.take("verbosity");
    } else {
        read_prompt(fields, request.generate);
        refuse_unsupported(fields, kUnsupportedInCompletions);
    }
    read_length(fields, kind, request.generate);
    read_sampling(fields, seed, request.generate);
    read_stop(fields, request.generate.stop);
    read_streaming(fields, request);
    refuse_unsupported(fields, kUnsupported);
    for (const std::string_view name : kPassedOver) {
        fields.take(name);
    }
    fields.refuse_the_rest();
    if (const auto& refusal = fields.refusal()) {
        return std::unexpected(*refusal);
    }
    return request;
}

}  // namespace nexa::gateway
