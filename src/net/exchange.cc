// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include <boost/asio/this_coro.hpp>

#include "net/exchange_internal.h"
#include "net/http_date_internal.h"
#include "net/http_error.h"
#include "net/refused_caller.h"
#include "net/web_socket_internal.h"

namespace nexa::net {

namespace {

constexpr int kSwitchingProtocols = 101;
constexpr std::size_t kOneBufferBytesMax = 16 * 1024;

bool is_valid_request_id(std::string_view id) {
    constexpr std::size_t kIdBytesMax = 128;
    return !id.empty() && id.size() <= kIdBytesMax && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.';
    });
}

std::string_view media_type_of(std::string_view content_type) {
    content_type = content_type.substr(0, content_type.find(';'));
    while (content_type.ends_with(' ')) {
        content_type.remove_suffix(1);
    }
    return content_type;
}

bool accepts(const Route& route, std::string_view media_type) {
    return route.content_types.empty() ||
           std::ranges::any_of(route.content_types, [media_type](const std::string& type) {
               return equals_ignoring_case(type, media_type) ||
                      (type == "application/json" && media_type.ends_with("+json"));
           });
}

std::string allow_list(std::vector<Method> methods) {
    const auto has = [&methods](Method method) {
        return std::ranges::find(methods, method) != methods.end();
    };
    if (has(Method::kGet) && !has(Method::kHead)) {
        methods.push_back(Method::kHead);
    }
    if (!has(Method::kOptions)) {
        methods.push_back(Method::kOptions);
    }
    std::string list;
    for (const Method method : methods) {
        list += list.empty() ? "" : ", ";
        list += to_string(method);
    }
    return list;
}

bool has_no_body(int status) {
    return status == 204 || status == 304 || status < 200;
}

/// The server alone says how a message is framed.
bool is_framing_field(std::string_view name) {
    return equals_ignoring_case(name, "content-length") ||
           equals_ignoring_case(name, "transfer-encoding") ||
           equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "date") ||
           equals_ignoring_case(name, "x-request-id");
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    // A value may hold what a client sent: it must not start a line of its own.
    for (const char c : value) {
        out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
    out += "\r\n";
}

}  // namespace

Connection::Exchange::~Exchange() {
    Connection& c = connection_;
    c.core_->requests.fetch_add(1, std::memory_order_relaxed);
    if (!c.core_->hooks.on_request_done) {
        return;
    }
    c.core_->hooks.on_request_done({
        .method = c.head_->method_text,
        .path = c.head_->path,
        .operation_id = route != nullptr ? route->operation_id : std::string(),
        .request_id = c.head_->request_id,
        .principal_id = request.principal.id,
        .peer_address = c.peer_address_,
        .status = status,
        .bytes_in = c.bytes_in_,
        .bytes_out = c.bytes_out_,
        .duration = c.core_->clock.steady_now() - start_,
        .error = std::move(error),
    });
}

/// Takes the body from the connection for a handler that streams it, while the exchange lasts.
class Connection::BodyReader final : public BodySource {
public:
    BodyReader(Connection* connection, std::chrono::milliseconds handler_time_max)
        : connection_(connection), handler_time_max_(handler_time_max) {}

    Task<std::string> read() override {
        if (connection_ == nullptr) {
            co_return Error::cancelled("the request is over");
        }
        Result<std::string> piece = co_await connection_->read_body_piece();
        connection_->begin_phase(Phase::kHandling, handler_time_max_);
        co_return piece;
    }
    std::optional<std::uint64_t> length() const override {
        return connection_ != nullptr ? connection_->parser().content_length() : std::nullopt;
    }
    void detach() { connection_ = nullptr; }

private:
    Connection* connection_;
    std::chrono::milliseconds handler_time_max_;
};

/// Closes the source of an answer, however its writing ends.
class Connection::OpenSource {
public:
    OpenSource(Connection& connection, std::shared_ptr<BodySource> source)
        : connection_(connection) {
        connection_.source_ = std::move(source);
        connection_.watch_peer_ = true;
        if (connection_.core_->draining) {
            connection_.source_->drain();
        }
    }
    OpenSource(const OpenSource&) = delete;
    OpenSource& operator=(const OpenSource&) = delete;
    ~OpenSource() {
        connection_.source_->close();
        connection_.source_ = nullptr;
        connection_.watch_peer_ = false;
    }

private:
    Connection& connection_;
};

Task<void> Connection::exchange() {
    bytes_in_ = 0;
    bytes_out_ = 0;
    RequestHead head = parser_ ? std::move(parser_->head()) : RequestHead{};
    const std::string_view sent_id = head.headers.get("x-request-id");
    head.request_id =
        is_valid_request_id(sent_id) ? std::string(sent_id) : core_->hooks.make_request_id();
    head.peer_address = peer_address_;
    head_ = std::make_shared<const RequestHead>(std::move(head));
    Exchange current(*this);
    current.request.head = head_;

    Result<Response> answered = co_await answer(current);
    if (client_gone_) {
        co_return Error::cancelled("the client has gone");
    }
    if (refusal_) {
        answered = Response::failure(*refusal_);
    }
    Response response =
        answered ? std::move(*answered) : Response::failure({.error = std::move(answered.error())});
    if (const HttpError* error = std::get_if<HttpError>(&response.body)) {
        current.error = error->error.to_string();
        response = render(*error, current.dialect, *head_);
    }
    keep_alive_ = keep_alive_ && !refusal_ && parser_ && parser_->keep_alive() &&
                  can_discard_body() && !core_->draining;
    must_linger_ =
        !keep_alive_ && (refusal_ || !can_discard_body() || core_->draining || !buffered().empty());
    const int status = response.status;
    CO_TRY_STATUS(co_await write_response(current, std::move(response)));
    current.status = status;
    if (keep_alive_ && !parser().body_done()) {
        CO_TRY_STATUS(co_await discard_body());
    }
    co_return ok();
}

/// A refusal of HTTP's own, or nothing: then current.route is set.
std::optional<Response> Connection::route(Exchange& current) {
    const auto fail = [](int status, Error error, Headers headers = {}) {
        HttpError refused = refusal(status, std::move(error));
        refused.headers = std::move(headers);
        return Response::failure(std::move(refused));
    };
    if (head_->path == "*") {
        Response response = Response::empty();
        response.headers.add("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
        return response;
    }
    Router::Match match = core_->router.match(head_->method, head_->path);
    current.dialect = match.dialect;
    switch (match.outcome) {
        case Router::Outcome::kMalformed:
            return fail(400, Error::malformed("the path has a broken percent escape"));
        case Router::Outcome::kNotFound:
            return fail(404, Error::not_found("nothing is served at {}", head_->path));
        case Router::Outcome::kMethodNotAllowed: {
            Headers allow{{"allow", allow_list(std::move(match.allowed))}};
            if (head_->method == Method::kOptions) {
                Response response = Response::empty();
                response.headers = std::move(allow);
                return response;
            }
            return fail(
                405,
                Error::invalid_argument("{} does not take {}", head_->path, head_->method_text),
                std::move(allow)
            );
        }
        case Router::Outcome::kFound:
            break;
    }
    current.route = match.route;
    current.request.parameters = std::move(match.parameters);
    return std::nullopt;
}

std::optional<HttpError> Connection::check_body(const Route& route) const {
    const Headers& headers = head_->headers;
    const std::string* expect = headers.find("expect");
    if (expect != nullptr && !equals_ignoring_case(*expect, "100-continue")) {
        return refusal(417, Error::invalid_argument("cannot meet the expectation '{}'", *expect));
    }
    if (!parser().has_body()) {
        return std::nullopt;
    }
    if (parser().content_length().value_or(0) > route.body_bytes_max || route.body_bytes_max == 0) {
        return refusal(
            413, Error::invalid_argument("the body is over {} bytes", route.body_bytes_max)
        );
    }
    const std::string* coding = headers.find("content-encoding");
    if (coding != nullptr && !equals_ignoring_case(*coding, "identity")) {
        return refusal(
            415, Error::invalid_argument("bodies coded as '{}' are not taken here", *coding)
        );
    }
    const std::string* type = headers.find("content-type");
    if (type != nullptr && !accepts(route, media_type_of(*type))) {
        return refusal(
            415,
            Error::invalid_argument("a body of type '{}' is not taken here", *type)
                .hint(fmt::format("send {}", fmt::join(route.content_types, " or ")))
        );
    }
    return std::nullopt;
}

Task<Response> Connection::under_time_limit(
    Task<Response> task, std::chrono::milliseconds time_max
) {
    begin_phase(Phase::kHandling, time_max);
    Result<Response> result = co_await guarded(std::move(task));
    begin_endless_phase(Phase::kReading);
    watch_peer_ = false;
    const CancelReason reason = std::exchange(cancel_reason_, CancelReason::kNone);
    if (reason == CancelReason::kNone) {
        co_return result;
    }
    // The cancellation was meant for the handler, and it has ended: we go on.
    co_await asio::this_coro::reset_cancellation_state();
    if (reason == CancelReason::kPeerGone) {
        client_gone_ = true;
        co_return Error::cancelled("the client has gone");
    }
    co_return Error::deadline_exceeded("no answer within {} ms", time_max.count());
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): exchange() waits
Task<Response> Connection::answer(Exchange& current) {
    if (refusal_) {
        co_return Response::failure(*refusal_);
    }
    if (std::optional<Response> own = route(current)) {
        co_return std::move(*own);
    }
    const Route& row = *current.route;
    const auto time_max = row.time_max.count() > 0 ? row.time_max : core_->options.handler_time_max;
    continue_expected_ = head_->headers.find("expect") != nullptr && !parser().is_http_1_0();
    if (row.auth != Auth::kPublic) {
        CO_TRY(Response entered, co_await under_time_limit(authenticate(current), time_max));
        if (std::holds_alternative<HttpError>(entered.body)) {
            co_return entered;
        }
    }
    if (std::optional<HttpError> refused = check_body(row)) {
        co_return Response::failure(std::move(*refused));
    }
    body_bytes_max_ = row.body_bytes_max;
    const auto body_time_max = std::chrono::nanoseconds(core_->options.body_time_max);
    body_deadline_ns_ = (core_->clock.steady_now().time_since_epoch() + body_time_max) /
                        std::chrono::nanoseconds(1);
    if (row.body_mode == BodyMode::kWhole && parser().has_body()) {
        CO_TRY_STATUS(co_await read_whole_body(&current.request.body));
    }
    watch_peer_ = row.cancel_when_client_goes;
    co_return co_await under_time_limit(call_handler(current, time_max), time_max);
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): exchange() waits
Task<Response> Connection::authenticate(Exchange& current) {
    CO_TRY(
        current.request.principal,
        co_await core_->hooks.authenticate({.head = head_, .route = current.route})
    );
    if (const HttpError* refusal = refusal_in(current.request.principal)) {
        co_return Response::failure(*refusal);
    }
    co_return Response{};
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): exchange() waits
Task<Response> Connection::call_handler(Exchange& current, std::chrono::milliseconds time_max) {
    const Route& row = *current.route;
    // The request moves into the handler; the log still wants to know who it was.
    Request request = std::move(current.request);
    current.request.principal.id = request.principal.id;
    if (row.body_mode == BodyMode::kWhole) {
        co_return co_await row.handler(std::move(request));
    }
    struct Detach {
        std::shared_ptr<BodyReader> reader;
        ~Detach() { reader->detach(); }
    };
    const Detach detach{std::make_shared<BodyReader>(this, time_max)};
    request.stream = detach.reader;
    co_return co_await row.handler(std::move(request));
}

void Connection::format_head(
    const Response& response, std::optional<std::uint64_t> length, bool chunked
) {
    out_.clear();
    fmt::format_to(
        std::back_inserter(out_),
        "HTTP/1.1 {} {}\r\n",
        response.status,
        reason_phrase(response.status)
    );
    append_field(out_, "date", http_date_now(core_->clock.now()));
    append_field(out_, "x-request-id", head_->request_id);
    for (const Header& field : response.headers) {
        if (!is_framing_field(field.name)) {
            append_field(out_, field.name, field.value);
        }
    }
    if (chunked) {
        out_ += "transfer-encoding: chunked\r\n";
    } else if (length && !has_no_body(response.status)) {
        fmt::format_to(std::back_inserter(out_), "content-length: {}\r\n", *length);
    }
    if (!keep_alive_) {
        out_ += "connection: close\r\n";
    } else if (parser_ && parser_->is_http_1_0()) {
        out_ += "connection: keep-alive\r\n";
    }
    out_ += "\r\n";
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): exchange() waits
Task<void> Connection::write_response(Exchange& current, Response response) {
    const bool bare = head_->method == Method::kHead || has_no_body(response.status);
    if (response.status == kSwitchingProtocols) {
        co_return co_await switch_to_web_socket(
            current, std::get<std::shared_ptr<BodySource>>(std::move(response.body))
        );
    }
    if (auto* source = std::get_if<std::shared_ptr<BodySource>>(&response.body)) {
        const OpenSource open(*this, *source);
        const std::optional<std::uint64_t> length = (*source)->length();
        const bool chunked = !length && !bare && !parser().is_http_1_0();
        if (!length && !bare && !chunked) {
            keep_alive_ = false;  // HTTP/1.0: the end of the connection is the end of the body
        }
        format_head(response, length, chunked);
        CO_TRY_STATUS(co_await send(out_, {}));
        if (!bare) {
            CO_TRY_STATUS(co_await write_source(current, *source, chunked));
        }
        co_return ok();
    }
    const std::string& body = std::get<std::string>(response.body);
    format_head(response, body.size(), false);
    if (bare) {
        co_return co_await send(out_, {});
    }
    if (body.size() <= kOneBufferBytesMax) {
        out_ += body;
        co_return co_await send(out_, {});
    }
    co_return co_await send(out_, body);
}

/// Serves the connection's last exchange, in another protocol.
Task<void> Connection::switch_to_web_socket(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): exchange() waits
    Exchange& current,
    std::shared_ptr<BodySource> body
) {
    auto socket = std::dynamic_pointer_cast<WebSocketBody>(std::move(body));
    NEXA_CHECK(socket != nullptr);  // only web_socket_response() answers 101
    const OpenSource open(*this, socket);
    watch_peer_ = false;  // it reads, and so sees that the client has gone
    keep_alive_ = false;
    must_linger_ = false;
    begin_endless_phase(Phase::kHandling);
    const Status served = co_await guarded(net::serve_web_socket({
        .socket = stream_->socket(),
        .body = socket,
        .sent_already = buffered(),
        .request_id = head_->request_id,
        .draining = core_->draining,
    }));
    if (!served) {
        current.error = served.error().to_string();
    }
    co_return ok();
}

Task<void> Connection::write_source(
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): exchange() waits
    Exchange& current,
    std::shared_ptr<BodySource> source,
    bool chunked
) {
    std::uint64_t left = source->length().value_or(std::numeric_limits<std::uint64_t>::max());
    for (;;) {
        begin_endless_phase(Phase::kHandling);
        Result<std::string> piece = co_await guarded(source->read());
        if (cancel_reason_ != CancelReason::kNone) {
            keep_alive_ = false;
            co_return Error::cancelled("the client has gone");
        }
        const bool ended = piece && piece->empty();
        const bool cut_short = ended && source->length() && left > 0;
        if (!piece || cut_short || (piece && piece->size() > left)) {
            // Too late for another status: the client sees the connection break off.
            keep_alive_ = false;
            Error error = piece ? Error::data_loss("a body is not of the length it promised")
                                : std::move(piece.error());
            current.error = error.to_string();
            co_return error;
        }
        if (ended) {
            break;
        }
        left -= piece->size();
        if (chunked) {
            out_.clear();
            fmt::format_to(std::back_inserter(out_), "{:x}\r\n", piece->size());
            piece->append("\r\n");
        } else {
            out_.clear();
        }
        CO_TRY_STATUS(co_await send(out_, *piece));
    }
    if (chunked) {
        co_return co_await send("0\r\n\r\n", {});
    }
    co_return ok();
}

}  // namespace nexa::net
