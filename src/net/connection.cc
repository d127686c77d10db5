// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include <boost/asio/error.hpp>

#include "core/check.h"
#include "net/connection_internal.h"
#include "net/exchange_internal.h"
#include "net/http_error.h"

namespace nexa::net {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kBufferBytes = 4 * 1024;
constexpr std::size_t kLingerBytesMax = std::size_t{16} << 20U;

std::int64_t as_ns(std::chrono::steady_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

Connection::Connection(
    std::shared_ptr<ServerCore> core,
    asio::any_io_executor executor,
    std::unique_ptr<Stream> stream,
    std::string peer_address
)
    : core_(std::move(core)),
      executor_(std::move(executor)),
      stream_(std::move(stream)),
      peer_address_(std::move(peer_address)),
      deadline_ns_(kNever) {}

Connection::~Connection() = default;

void Connection::begin_phase(Phase phase, std::chrono::milliseconds time_max) {
    phase_ = phase;
    overdue_ = false;
    const std::int64_t limit = std::chrono::nanoseconds(time_max).count();
    deadline_ns_.store(as_ns(core_->clock.steady_now()) + limit, std::memory_order_relaxed);
}

void Connection::begin_endless_phase(Phase phase) {
    phase_ = phase;
    overdue_ = false;
    deadline_ns_.store(kNever, std::memory_order_relaxed);
}

void Connection::set_handle(TaskHandle handle) {
    asio::post(executor_, [self = shared_from_this(), handle = std::move(handle)]() mutable {
        self->handle_ = std::move(handle);
    });
}

void Connection::sweep(std::int64_t now_ns) {
    if (now_ns >= deadline_ns_.load(std::memory_order_relaxed) ||
        watch_peer_.load(std::memory_order_relaxed)) {
        asio::post(executor_, [self = shared_from_this()] { self->check(); });
    }
}

void Connection::check() {
    if (cancel_reason_ != CancelReason::kNone) {
        return;
    }
    if (watch_peer_.load(std::memory_order_relaxed) && stream_->peer_gone()) {
        cancel_reason_ = CancelReason::kPeerGone;
        handle_.cancel_now();
        return;
    }
    if (as_ns(core_->clock.steady_now()) < deadline_ns_.load(std::memory_order_relaxed)) {
        return;
    }
    overdue_ = true;
    if (phase_ == Phase::kHandling) {
        cancel_reason_ = CancelReason::kOverdue;
        handle_.cancel_now();
    } else {
        stream_->cancel();
    }
}

void Connection::drain() {
    asio::post(executor_, [self = shared_from_this()] {
        if (self->phase_ == Phase::kIdle) {
            self->stream_->cancel();
        }
        if (self->source_) {
            self->source_->drain();
        }
    });
}

void Connection::consume(std::size_t bytes) {
    begin_ += bytes;
    if (begin_ == end_) {
        begin_ = 0;
        end_ = 0;
    }
}

Task<void> Connection::read_more(std::size_t capacity_max) {
    if (begin_ > 0 && end_ == buffer_.size()) {
        std::copy(buffer_.data() + begin_, buffer_.data() + end_, buffer_.data());
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == buffer_.size()) {
        if (buffer_.size() >= capacity_max) {
            co_return Error::malformed("{} bytes hold no whole line", buffer_.size());
        }
        buffer_.resize(std::min(std::max(buffer_.size() * 2, kBufferBytes), capacity_max));
    }
    const auto [error, count] =
        co_await stream_->read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_));
    if (error == asio::error::operation_aborted && overdue_) {
        co_return Error::deadline_exceeded("the client sent nothing in time");
    }
    if (error) {
        co_return Error::cancelled("the client has gone: {}", error.message());
    }
    end_ += count;
    co_return ok();
}

/// Ends with parser_ holding a head, refusal_ saying why there is none, or kCancelled: just close.
Task<void> Connection::read_head() {
    const ParserLimits limits{
        .target_bytes_max = core_->options.target_bytes_max,
        .head_bytes_max = core_->options.head_bytes_max,
        .headers_max = core_->options.headers_max,
    };
    parser_.reset();
    begin_phase(Phase::kIdle, core_->options.idle_time_max);
    for (;;) {
        // Some clients end a body with a line end too many; RFC 9112 lets us skip it.
        while (buffered().starts_with("\r\n")) {
            consume(2);
        }
        if (!buffered().empty() && phase_ == Phase::kIdle) {
            begin_phase(Phase::kReading, core_->options.head_time_max);
        }
        RequestParser::Framing framing = RequestParser::frame(buffered(), limits);
        if (framing.error) {
            refusal_ = std::move(framing.error);
            co_return ok();
        }
        if (framing.head_bytes) {
            parser_.emplace(limits);
            refusal_ = parser_->parse_head(buffered().substr(0, *framing.head_bytes));
            consume(*framing.head_bytes);
            co_return ok();
        }
        if (core_->draining && phase_ == Phase::kIdle) {
            co_return Error::cancelled("the server is stopping");
        }
        const bool was_idle = phase_ == Phase::kIdle;
        // One byte over the limit, so that a head of exactly the limit is told from a longer one.
        const Status read = co_await read_more(limits.head_bytes_max + 4);
        if (!read && read.error().code == ErrorCode::kDeadlineExceeded && !was_idle) {
            refusal_ = refusal(408, Error::deadline_exceeded("the request did not arrive in time"));
            co_return ok();
        }
        CO_TRY_STATUS(read);
    }
}

Task<void> Connection::serve(std::shared_ptr<Connection> self) {
    while (self->keep_alive_) {
        const Status status = co_await self->read_head();
        if (!status) {
            break;
        }
        const Status exchanged = co_await self->exchange();
        if (!exchanged) {
            break;
        }
    }
    if (self->must_linger_) {
        static_cast<void>((co_await self->linger()).has_value());
    }
    self->stream_->close();
    co_return ok();
}

Task<void> Connection::refuse(std::shared_ptr<Connection> self, HttpError error) {
    RequestHead head;
    head.request_id = self->core_->hooks.make_request_id();
    head.peer_address = self->peer_address_;
    self->head_ = std::make_shared<const RequestHead>(std::move(head));
    self->keep_alive_ = false;
    const Response response = render(error, Dialect::kApi, *self->head_);
    const std::string& body = std::get<std::string>(response.body);
    self->format_head(response, body.size(), false);
    CO_TRY_STATUS(co_await self->send(self->out_, body));
    CO_TRY_STATUS(co_await self->linger());
    self->stream_->close();
    co_return ok();
}

Task<void> Connection::send(std::string_view first, std::string_view second) {
    while (first.size() + second.size() > 0) {
        begin_phase(Phase::kWriting, core_->options.write_idle_max);
        const auto [error, count] = co_await stream_->write_some(
            {asio::buffer(first.data(), first.size()), asio::buffer(second.data(), second.size())}
        );
        if (error) {
            client_gone_ = true;
            co_return Error::cancelled("the client takes no answer: {}", error.message());
        }
        bytes_out_ += count;
        const std::size_t of_first = std::min(count, first.size());
        first.remove_prefix(of_first);
        second.remove_prefix(count - of_first);
    }
    co_return ok();
}

/// Closing with unread bytes resets the connection, and the client would lose our last words.
Task<void> Connection::linger() {
    stream_->shutdown_send();
    begin_phase(Phase::kReading, core_->options.linger_time_max);
    const std::int64_t until = deadline_ns_.load(std::memory_order_relaxed);
    for (std::size_t dropped = 0; dropped < kLingerBytesMax; dropped += end_) {
        begin_ = 0;
        end_ = 0;
        if (as_ns(core_->clock.steady_now()) >= until) {
            break;
        }
        const Status read = co_await read_more(kBufferBytes);
        if (!read) {
            break;
        }
    }
    co_return ok();
}

bool Connection::can_discard_body() const {
    constexpr std::uint64_t kDiscardBytesMax = 64 * 1024;
    if (!parser_ || refusal_) {
        return false;
    }
    if (!parser_->has_body() || parser_->body_done()) {
        return true;
    }
    // A client that waits for "100 Continue" sends either the body or the next request: unknowable.
    return !continue_expected_ && parser_->content_length().value_or(kNever) <= kDiscardBytesMax;
}

Task<void> Connection::discard_body() {
    body_bytes_max_ = kNever;
    std::string dropped;
    while (!parser().body_done()) {
        CO_TRY(dropped, co_await read_body_piece());
    }
    co_return ok();
}

Task<std::string> Connection::read_body_piece() {
    constexpr std::size_t kBodyBufferBytes = 64 * 1024;
    std::string piece;
    if (refusal_) {
        co_return refusal_->error;
    }
    if (continue_expected_ && buffered().empty() && !parser().body_done()) {
        continue_expected_ = false;
        CO_TRY_STATUS(co_await send("HTTP/1.1 100 Continue\r\n\r\n", {}));
    }
    while (piece.empty() && !parser().body_done()) {
        std::size_t taken = 0;
        if (!buffered().empty()) {
            continue_expected_ = false;
            taken = parser().parse_body(buffered(), piece, body_bytes_max_, refusal_);
            consume(taken);
        }
        if (refusal_) {
            co_return refusal_->error;
        }
        if (taken > 0) {
            continue;
        }
        const std::int64_t now = as_ns(core_->clock.steady_now());
        const auto left =
            std::chrono::nanoseconds(std::max<std::int64_t>(0, body_deadline_ns_ - now));
        begin_phase(
            Phase::kReading,
            std::min(
                core_->options.body_idle_max,
                std::chrono::duration_cast<std::chrono::milliseconds>(left)
            )
        );
        const Status read = co_await read_more(kBodyBufferBytes);
        if (!read) {
            const ErrorCode code = read.error().code;
            client_gone_ = code == ErrorCode::kCancelled;
            refusal_ = refusal(code == ErrorCode::kDeadlineExceeded ? 408 : 400, read.error());
            co_return read.error();
        }
    }
    bytes_in_ += piece.size();
    co_return piece;
}

Task<void> Connection::read_whole_body(std::string* out) {
    constexpr std::uint64_t kReserveBytesMax = 1024 * 1024;
    out->reserve(std::min(parser().content_length().value_or(0), kReserveBytesMax));
    while (!parser().body_done()) {
        CO_TRY(const std::string piece, co_await read_body_piece());
        out->append(piece);
    }
    co_return ok();
}

}  // namespace nexa::net
