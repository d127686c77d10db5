// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_endpoints.h"

#include <any>
#include <utility>

#include "core/check.h"

namespace nexa::gateway {

namespace {

using net::Response;

TokenUsage usage_of(const GenerationStep& step) {
    return {.prompt_tokens = step.tokens.prompt, .completion_tokens = step.tokens.completion};
}

template <class Endpoints>
net::Handler bound(Endpoints& endpoints, net::Task<Response> (Endpoints::*member)(net::Request)) {
    return [&endpoints, member](net::Request request) {
        return (endpoints.*member)(std::move(request));
    };
}

/// What a stream sends for one step.
std::vector<std::string> chunks_of(const ReplyHead& head, const GenerationStep& step) {
    std::vector<std::string> chunks;
    if (!step.text.empty()) {
        chunks.push_back(text_chunk(head, step.text));
    }
    if (!step.finish_reason) {
        return chunks;
    }
    chunks.push_back(finish_chunk(head, *step.finish_reason));
    if (head.include_usage) {
        chunks.push_back(usage_chunk(head, usage_of(step)));
    }
    chunks.emplace_back(kStreamEnd);
    return chunks;
}

}  // namespace

const Caller& caller_of(const net::Request& request) {
    const auto* caller = std::any_cast<Caller>(&request.principal.details);
    NEXA_CHECK(caller != nullptr);
    return *caller;
}

net::HttpError openai_error(Error error) {
    net::HttpError refusal{.error = std::move(error)};
    const std::string& param = refusal.error.param;
    switch (refusal.error.code) {
        case ErrorCode::kMalformed:
        case ErrorCode::kInvalidArgument:
            refusal.status = 400;
            // What a runner says of all of them is that they are too long.
            refusal.openai_code = param == "messages" || param == "prompt"
                                      ? "context_length_exceeded"
                                      : "invalid_value";
            break;
        case ErrorCode::kNotFound:
            refusal.openai_code = "model_not_found";
            break;
        default:
            break;
    }
    return refusal;
}

net::Route TextEndpoints::row(std::string_view path, std::string_view id, std::string_view summary)
    const {
    return {
        .path = std::string(path),
        .operation_id = std::string(id),
        .summary = std::string(summary),
        .tag = "text",
        .dialect = net::Dialect::kOpenai,
    };
}

std::vector<net::Route> TextEndpoints::routes() {
    net::Route list = row("/v1/models", "models_list", "Models that can be asked now");
    list.handler = bound(*this, &TextEndpoints::list_models);
    net::Route get = row("/v1/models/{model...}", "models_get", "One of them");
    get.handler = bound(*this, &TextEndpoints::get_model);
    net::Route chats = row("/v1/chat/completions", "chat_completions", "Answer a conversation");
    chats.handler = bound(*this, &TextEndpoints::chat);
    net::Route completions = row("/v1/completions", "completions", "Go on with a text");
    completions.handler = bound(*this, &TextEndpoints::complete);
    for (net::Route* post : {&chats, &completions}) {
        post->method = net::Method::kPost;
        post->body_bytes_max = options_.body_bytes_max;
        post->time_max = options_.answer_time_max;
        post->cancel_when_client_goes = true;
    }
    return {std::move(list), std::move(get), std::move(chats), std::move(completions)};
}

net::Task<Response> TextEndpoints::list_models(net::Request request) {
    co_return Response::json(model_list_reply(with_.models.list(caller_of(request))));
}

net::Task<Response> TextEndpoints::get_model(net::Request request) {
    const auto model = with_.models.find(request.parameter("model"), caller_of(request));
    if (!model) {
        co_return Response::failure(openai_error(model.error()));
    }
    co_return Response::json(model_reply(row_of(**model)));
}

net::Task<Response> TextEndpoints::chat(net::Request request) {
    return answer(TextKind::kChat, std::move(request));
}

net::Task<Response> TextEndpoints::complete(net::Request request) {
    return answer(TextKind::kCompletion, std::move(request));
}

TextEndpoints::Begun TextEndpoints::begin(
    const TextRequest& request, const ServedModel& model, const Caller& caller
) const {
    const Timestamp now = with_.clock.now();
    const std::string unique = with_.ids.make<RequestId>().text().substr(RequestId::kPrefix.size());
    const std::string id =
        fmt::format("{}-{}", request.kind == TextKind::kChat ? "chatcmpl" : "cmpl", unique);
    return {
        .head =
            {
                .kind = request.kind,
                .id = id,
                .created = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch())
                               .count(),
                .model = request.model,
                .fingerprint = model.spec().fingerprint,
                .include_usage = request.include_usage,
            },
        .usage =
            {
                .id = id,
                .at = to_rfc3339(now),
                .key_id = caller.key_id,
                .project_id = caller.project_id,
                .deployment_id = model.spec().deployment_id,
            },
    };
}

net::Task<Response> TextEndpoints::answer(TextKind kind, net::Request request) {
    auto parsed = parse_text_request(kind, request.body, with_.random.next());
    if (!parsed) {
        co_return Response::failure(std::move(parsed).error());
    }
    const auto model = with_.models.find(parsed->model, caller_of(request));
    if (!model) {
        co_return Response::failure(openai_error(model.error()));
    }
    const auto runner = (*model)->runner();
    if (!runner) {
        co_return Response::failure(openai_error(runner.error()));
    }
    auto running = (*runner)->generate(std::move(parsed->generate));
    if (!running) {
        co_return Response::failure(openai_error(running.error()));
    }
    Begun begun = begin(*parsed, **model, caller_of(request));
    auto metered = std::make_unique<MeteredGeneration>(
        *std::move(running), with_.usage, std::move(begun.usage)
    );
    co_return co_await (
        parsed->stream ? answer_streaming(std::move(begun.head), std::move(metered))
                       : answer_whole(std::move(begun.head), std::move(metered))
    );
}

net::Task<GenerationStep> TextEndpoints::next(MeteredGeneration& running) {
    return net::with_deadline(running.next(), options_.silence_max);
}

net::Task<Response> TextEndpoints::answer_whole(ReplyHead head, Running running) {
    std::string text;
    while (true) {
        const Result<GenerationStep> step = co_await next(*running);
        if (!step) {
            co_return Response::failure(openai_error(step.error()));
        }
        text += step->text;
        if (const auto& reason = step->finish_reason) {
            co_return Response::json(whole_reply(head, text, *reason, usage_of(*step)));
        }
    }
}

net::Task<Response> TextEndpoints::answer_streaming(ReplyHead head, Running running) {
    // Only once there is something to say is it known that the answer is no refusal.
    Result<GenerationStep> first = co_await next(*running);
    if (!first) {
        co_return Response::failure(openai_error(first.error()));
    }
    auto stream = std::make_shared<net::SseStream>(net::SseOptions{.ends_on_drain = false});
    CO_TRY_STATUS(with_.streams.spawn(
        "text stream", stream_all(std::move(head), std::move(running), std::move(*first), stream)
    ));
    co_return net::sse_response(std::move(stream));
}

net::Task<void> TextEndpoints::stream_all(
    ReplyHead head, Running running, GenerationStep first, std::shared_ptr<net::SseStream> stream
) {
    // However this ends: the client must not wait for more.
    struct AtEnd {
        net::SseStream& stream;
        ~AtEnd() { stream.finish(); }
    } const at_end{*stream};
    if (head.kind == TextKind::kChat) {
        CO_TRY_STATUS(co_await stream->send({.data = role_chunk(head)}));
    }
    GenerationStep step = std::move(first);
    while (true) {
        for (std::string& chunk : chunks_of(head, step)) {
            const Status sent = co_await stream->send({.data = std::move(chunk)});
            if (!sent) {
                // A client that went is no error of ours; its runner is told by `running`'s end.
                co_return ok();
            }
        }
        if (step.finish_reason) {
            co_return ok();
        }
        Result<GenerationStep> more = co_await next(*running);
        if (!more) {
            log_.warning("an answer broke off", {{"error", more.error().to_string()}});
            CO_TRY_STATUS(co_await stream->send({.data = error_chunk(more.error())}));
            co_return ok();
        }
        step = *std::move(more);
    }
}

}  // namespace nexa::gateway
