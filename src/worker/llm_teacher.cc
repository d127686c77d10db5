// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_teacher.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/json.h"
#include "core/json_codec.h"
#include "core/json_writer.h"
#include "core/redact.h"

namespace nexa::worker {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kPlaces = "places";
constexpr int kTooManyRequests = 429;
constexpr int kRequestTimeout = 408;
constexpr int kServerErrors = 500;

/// The parts that count of a chat completion.
struct WireMessage {
    static constexpr std::string_view kName = "WireMessage";
    std::optional<std::string> content;
    static constexpr auto fields() {
        return std::tuple{field("content", &WireMessage::content, "The answer")};
    }
};
struct WireChoice {
    static constexpr std::string_view kName = "WireChoice";
    WireMessage message;
    std::optional<std::string> finish_reason;
    static constexpr auto fields() {
        return std::tuple{
            field("message", &WireChoice::message, "What is said").required(),
            field("finish_reason", &WireChoice::finish_reason, "Why it ends"),
        };
    }
};
struct WireUsage {
    static constexpr std::string_view kName = "WireUsage";
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    static constexpr auto fields() {
        return std::tuple{
            field("prompt_tokens", &WireUsage::prompt_tokens, "Sent").within(0, 1LL << 40),
            field("completion_tokens", &WireUsage::completion_tokens, "Generated")
                .within(0, 1LL << 40),
        };
    }
};
struct WireReply {
    static constexpr std::string_view kName = "WireReply";
    std::vector<WireChoice> choices;
    std::optional<WireUsage> usage;
    static constexpr auto fields() {
        return std::tuple{
            field("choices", &WireReply::choices, "Answers").required().length(1, 1024),
            field("usage", &WireReply::usage, "Tokens"),
        };
    }
};
NEXA_JSON_CODEC(WireReply);

std::string body_of(
    const TeacherSettings& teacher, const std::string& model, const protocol::LlmRequest& request
) {
    JsonWriter json;
    json.begin_object();
    json.key("model");
    json.string(model);
    json.key("messages");
    json.raw(to_json(request.messages));
    json.key("temperature");
    json.real(request.temperature);
    json.key("top_p");
    json.real(request.top_p);
    json.key(teacher.max_tokens_field);
    json.whole(request.max_tokens);
    json.key("n");
    json.whole(request.n);
    if (request.seed) {
        // Endpoints take a signed number of 64 bits.
        json.key("seed");
        json.whole(static_cast<std::int64_t>(*request.seed & INT64_MAX));
    }
    if (!request.stop.empty()) {
        json.key("stop");
        json.begin_array();
        for (const std::string& stop : request.stop) {
            json.string(stop);
        }
        json.end_array();
    }
    json.end_object();
    return json.take();
}

net::HttpRequest http_request(const TeacherSettings& teacher, std::string body, const Secret* key) {
    std::string_view base = teacher.base_url;
    while (base.ends_with('/')) {
        base.remove_suffix(1);
    }
    const auto timeout = std::chrono::duration<double>(teacher.timeout_seconds);
    net::HttpRequest request{
        .method = net::Method::kPost,
        .url = fmt::format("{}/chat/completions", base),
        .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
        .body = std::move(body),
        .total_time_max = std::chrono::duration_cast<milliseconds>(timeout),
        .idle_time_max = std::chrono::seconds(0),  // an answer may be long in the making
        .body_bytes_max = protocol::kLlmLineBytesMax,
        .retry = net::RetryWhen::kNever,
    };
    if (key != nullptr) {
        request.headers.add("Authorization", fmt::format("Bearer {}", key->reveal()));
    }
    return request;
}

Error redacted(Error error, const std::string& teacher) {
    constexpr std::size_t kMessageMax = 2000;
    error.message = redact(fmt::format("teacher '{}': {}", teacher, error.message));
    error.message.resize(std::min(error.message.size(), kMessageMax));
    error.advice = redact(error.advice);
    error.param = "teacher";
    return error;
}

/// What the endpoint's status asks us to do.
bool is_passing(const net::HttpResponse& response) {
    const int status = response.status;
    const bool is_busy = status == kTooManyRequests || status == kRequestTimeout;
    // OpenAI answers 429 also when the account has run dry, which no wait cures.
    const bool is_dry = response.body.find("insufficient_quota") != std::string::npos;
    return (is_busy || status >= kServerErrors) && !is_dry &&
           response.headers.get("x-should-retry") != "false";
}

}  // namespace

/// A place at the endpoint and leave to use it. What is not said about its end says nothing about
/// the endpoint: it was cancelled.
class LlmTeacher::Visit {
public:
    explicit Visit(LlmTeacher& teacher) : teacher_(teacher) {}
    ~Visit() {
        if (permit_) {
            const Lock lock(teacher_.mutex_);
            teacher_.breaker_.abandoned(*permit_);
        }
        teacher_.leave();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

    Status admit() {
        const Lock lock(teacher_.mutex_);
        auto permit =
            teacher_.breaker_.admit(teacher_.settings_.name, teacher_.with_.clock.steady_now());
        if (!permit) {
            return std::move(permit).error();
        }
        permit_ = *std::move(permit);
        return {};
    }
    void end(bool is_well) {
        NEXA_CHECK(permit_.has_value());
        const Lock lock(teacher_.mutex_);
        if (is_well) {
            teacher_.breaker_.succeeded(*permit_);
        } else {
            teacher_.breaker_.failed(*permit_, teacher_.with_.clock.steady_now());
        }
        permit_.reset();
    }

private:
    LlmTeacher& teacher_;
    std::optional<CircuitBreaker::Permit> permit_;
};

LlmTeacher::LlmTeacher(const TeacherSettings& settings, Collaborators with)
    : settings_(settings),
      prices_(prices_of(settings)),
      with_(with),
      gate_(settings.concurrency, settings.requests_per_minute) {}

void LlmTeacher::leave() {
    {
        const Lock lock(mutex_);
        gate_.leave();
    }
    places_.notify(std::string(kPlaces), 1);
}

net::Task<void> LlmTeacher::wait_for_place() {
    constexpr std::chrono::hours kWaitMax{1};
    constexpr std::chrono::nanoseconds kLookAgain = std::chrono::seconds(1);
    net::Signal::Subscription left = places_.subscribe(std::string(kPlaces));
    const auto until = with_.clock.steady_now() + kWaitMax;
    while (true) {
        const auto now = with_.clock.steady_now();
        std::chrono::nanoseconds wait{};
        {
            const Lock lock(mutex_);
            wait = gate_.enter(now);
        }
        if (wait == std::chrono::nanoseconds::zero()) {
            co_return ok();
        }
        if (now >= until) {
            co_return Error::deadline_exceeded("no place came free within an hour");
        }
        CO_TRY_STATUS(co_await left.wait(std::min(wait, kLookAgain)));
    }
}

LlmOutcome LlmTeacher::failed(Error error, Picodollars cost, bool may_help_to_retry) const {
    return {
        .cost = cost,
        .error = redacted(std::move(error), settings_.name),
        .may_help_to_retry = may_help_to_retry,
    };
}

net::Task<LlmOutcome> LlmTeacher::ask(
    std::string model, protocol::LlmRequest request, std::shared_ptr<const Secret> key
) {
    const Status placed = co_await wait_for_place();
    if (!placed) {
        if (placed.error().code == ErrorCode::kCancelled) {
            co_return placed.error();
        }
        co_return failed(placed.error(), Picodollars{}, false);
    }
    Visit visit(*this);
    if (const Status admitted = visit.admit(); !admitted) {
        co_return failed(admitted.error(), Picodollars{}, true);
    }
    const Picodollars worst = worst_cost(prices_, request);
    const Result<net::HttpResponse> response = co_await with_.http.send(
        http_request(settings_, body_of(settings_, model, request), key.get())
    );
    if (response) {
        LlmOutcome outcome = judge(*response, worst);
        visit.end(response->status < kServerErrors && !(outcome.error && response->is_success()));
        co_return outcome;
    }
    const ErrorCode code = response.error().code;
    if (code == ErrorCode::kCancelled) {
        co_return response.error();
    }
    visit.end(!is_retryable(code));
    // It may have been answered, and so charged, where we could not see it.
    const bool may_be_charged = code == ErrorCode::kDeadlineExceeded;
    co_return failed(response.error(), may_be_charged ? worst : Picodollars{}, is_retryable(code));
}

LlmOutcome LlmTeacher::judge(const net::HttpResponse& response, Picodollars worst) {
    if (!response.is_success()) {
        const auto wait = net::retry_after(response, with_.clock.now());
        if (wait > std::chrono::seconds(0)) {
            const Lock lock(mutex_);
            gate_.hold_off(with_.clock.steady_now() + wait);
        }
        Error error = net::to_error(response);
        if (error.code == ErrorCode::kInternal || error.code == ErrorCode::kCancelled ||
            error.code == ErrorCode::kDataLoss) {
            error.code = ErrorCode::kUnavailable;
        }
        if (error.code == ErrorCode::kUnauthenticated) {
            error.advice = fmt::format(
                "the worker's operator can set the key: secret '{}'", settings_.api_key_secret
            );
        }
        return failed(std::move(error), Picodollars{}, is_passing(response));
    }
    auto reply = from_json<WireReply>(response.body, {.unknown_keys = UnknownKeys::kIgnore});
    if (!reply) {
        return failed(
            Error::unavailable("it answers what is no completion: {}", reply.error().to_string())
                .hint("does base_url name an OpenAI-compatible API, up to its version?"),
            worst,
            true
        );
    }
    LlmOutcome outcome;
    for (WireChoice& choice : reply->choices) {
        outcome.choices.push_back({
            .text = redact(choice.message.content.value_or("")),
            .finish_reason = choice.finish_reason.value_or(""),
        });
    }
    const auto& usage = reply->usage;
    if (!usage) {
        outcome.cost = worst;
        return outcome;
    }
    outcome.prompt_tokens = usage->prompt_tokens;
    outcome.completion_tokens = usage->completion_tokens;
    outcome.cost = cost_of(prices_, outcome.prompt_tokens, outcome.completion_tokens);
    return outcome;
}

}  // namespace nexa::worker
