// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/check.h"
#include "net/http_server.h"
#include "net/request_parser_internal.h"
#include "net/stream_internal.h"
#include "net/task_group.h"

namespace nexa::net {

/// What all connections of a server share.
struct ServerCore {
    ServerCore(
        const Clock& a_clock,
        HttpServerOptions an_options,
        HttpServerHooks some_hooks,
        Router a_router
    )
        : clock(a_clock),
          options(std::move(an_options)),
          hooks(std::move(some_hooks)),
          router(std::move(a_router)) {}

    const Clock& clock;
    const HttpServerOptions options;
    const HttpServerHooks hooks;
    const Router router;
    std::atomic<bool> draining{false};
    std::atomic<std::uint64_t> requests{0};
};

/// One client's connection: reads requests, has them answered in order, writes the answers.
///
/// All of it runs on one serial executor, but for sweep(). Deadlines are not timers: each phase
/// writes down when it must be over, and the server's sweeper comes by.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(
        std::shared_ptr<ServerCore> core,
        asio::any_io_executor executor,
        std::unique_ptr<Stream> stream,
        std::string peer_address
    );
    ~Connection();

    /// Serves until the client goes, errs, idles too long or the server drains.
    static Task<void> serve(std::shared_ptr<Connection> self);
    /// Answers one refusal without reading a request, and closes.
    static Task<void> refuse(std::shared_ptr<Connection> self, HttpError error);

    /// Thread-safe. Looks whether the phase is overdue, or the peer of a long answer has gone.
    void sweep(std::int64_t now_ns);
    /// Thread-safe. Ends at once if idle, after the running request if not.
    void drain();
    /// Before sweep() is called first. Thread-safe.
    void set_handle(TaskHandle handle);

    /// The next bytes of the running request's body, for a handler that streams it.
    Task<std::string> read_body_piece();

private:
    enum class Phase : std::uint8_t { kIdle, kReading, kHandling, kWriting };
    enum class CancelReason : std::uint8_t { kNone, kOverdue, kPeerGone };
    class Exchange;
    class BodyReader;
    class OpenSource;

    void begin_phase(Phase phase, std::chrono::milliseconds time_max);
    void begin_endless_phase(Phase phase);
    void check();
    std::string_view buffered() const { return {buffer_.data() + begin_, end_ - begin_}; }
    void consume(std::size_t bytes);

    Task<void> read_more(std::size_t capacity_max);
    Task<void> read_head();
    Task<void> exchange();
    Task<Response> answer(Exchange& current);
    Task<Response> authenticate(Exchange& current);
    Task<Response> call_handler(Exchange& current, std::chrono::milliseconds time_max);
    std::optional<Response> route(Exchange& current);
    std::optional<HttpError> check_body(const Route& route) const;
    Task<Response> under_time_limit(Task<Response> task, std::chrono::milliseconds time_max);
    Task<void> read_whole_body(std::string* out);
    Task<void> discard_body();
    bool can_discard_body() const;
    auto& parser(this auto& self) {
        NEXA_CHECK(self.parser_.has_value());  // who sent no head is answered before
        return *self.parser_;
    }

    Task<void> write_response(Exchange& current, Response response);
    Task<void> switch_to_web_socket(Exchange& current, std::shared_ptr<BodySource> body);
    Task<void> write_source(Exchange& current, std::shared_ptr<BodySource> source, bool chunked);
    void format_head(const Response& response, std::optional<std::uint64_t> length, bool chunked);
    Task<void> send(std::string_view first, std::string_view second);
    Task<void> linger();

    const std::shared_ptr<ServerCore> core_;
    const asio::any_io_executor executor_;
    const std::unique_ptr<Stream> stream_;
    const std::string peer_address_;
    TaskHandle handle_;

    std::atomic<std::int64_t> deadline_ns_;
    std::atomic<bool> watch_peer_{false};
    Phase phase_ = Phase::kIdle;
    bool overdue_ = false;
    CancelReason cancel_reason_ = CancelReason::kNone;

    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::string out_;

    // Of the running request.
    std::optional<RequestParser> parser_;
    std::shared_ptr<const RequestHead> head_;
    std::optional<HttpError> refusal_;  ///< of the head or the body; ends the connection
    std::uint64_t body_bytes_max_ = 0;
    std::int64_t body_deadline_ns_ = 0;
    std::uint64_t bytes_in_ = 0;
    std::uint64_t bytes_out_ = 0;
    bool continue_expected_ = false;
    bool keep_alive_ = true;
    bool client_gone_ = false;  ///< nobody is there to answer
    bool must_linger_ = false;
    std::shared_ptr<BodySource> source_;  ///< of the answer being streamed
};

}  // namespace nexa::net
