// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/ids.h"
#include "core/log.h"
#include "core/random.h"
#include "gateway/metered_generation.h"
#include "gateway/model_table.h"
#include "gateway/text_reply.h"
#include "gateway/usage_spool.h"
#include "net/router.h"
#include "net/sse.h"
#include "net/task_group.h"

namespace nexa::gateway {

struct TextOptions {
    std::size_t body_bytes_max = std::size_t{4} << 20U;
    std::chrono::milliseconds answer_time_max{600'000};  ///< of an answer that is not streamed
    std::chrono::milliseconds silence_max{120'000};      ///< of a runner, between two tokens
};

/// OpenAI's endpoints for text: /v1/models, /v1/completions, /v1/chat/completions. Thread-safe.
class TextEndpoints {
public:
    struct Collaborators {
        const ModelTable& models;
        net::TaskGroup& streams;  ///< answers that are being streamed
        UsageSpool& usage;
        const Clock& clock;
        Random& random;
        IdSource& ids;
    };
    TextEndpoints(Collaborators with, TextOptions options) : with_(with), options_(options) {}

    std::vector<net::Route> routes();

private:
    using Running = std::unique_ptr<MeteredGeneration>;

    /// What the answer to a request says of itself, and its line of usage.
    struct Begun {
        ReplyHead head;
        UsageLine usage;
    };

    net::Task<net::Response> list_models(net::Request request);
    net::Task<net::Response> get_model(net::Request request);
    net::Task<net::Response> chat(net::Request request);
    net::Task<net::Response> complete(net::Request request);

    net::Route row(std::string_view path, std::string_view id, std::string_view summary) const;
    net::Task<net::Response> answer(TextKind kind, net::Request request);
    net::Task<net::Response> answer_whole(ReplyHead head, Running running);
    net::Task<net::Response> answer_streaming(ReplyHead head, Running running);
    net::Task<GenerationStep> next(MeteredGeneration& running);
    net::Task<void> stream_all(
        ReplyHead head,
        Running running,
        GenerationStep first,
        std::shared_ptr<net::SseStream> stream
    );
    Begun begin(const TextRequest& request, const ServedModel& model, const Caller& caller) const;

    Collaborators with_;
    TextOptions options_;
    Logger log_ = get_logger("gateway.text");
};

/// Who asks, as the authenticator left it. It is our bug, and aborts, if the row asked nobody.
const Caller& caller_of(const net::Request& request);

/// A failure in OpenAI's words: 400 with the place for what is wrong with the request, 404
/// model_not_found, 429 and 503 with Retry-After.
net::HttpError openai_error(Error error);

}  // namespace nexa::gateway
