// SPDX-License-Identifier: Apache-2.0
#include "engine/pipelines/llm_client.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

#include "core/json.h"
#include "core/os_error.h"

namespace nexa::pipelines {

namespace {

using protocol::LlmReply;
using protocol::LlmRequest;

constexpr int kTickMilliseconds = 100;

/// The folder's path may be longer than a socket's name may be.
Result<UniqueFd> connect_in(const std::filesystem::path& folder) {
    const UniqueFd directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) {
        return os_error(errno, fmt::format("open {}", folder.native()));
    }
    const std::string name =
        fmt::format("/proc/self/fd/{}/{}", directory.get(), protocol::kLlmSocketName);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    NEXA_CHECK(name.size() < sizeof(address.sun_path));
    std::memcpy(&address.sun_path[0], name.c_str(), name.size() + 1);
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const void* raw = &address;
    if (!socket ||
        ::connect(socket.get(), static_cast<const sockaddr*>(raw), sizeof(address)) != 0) {
        return os_error(errno, "connect to the worker's llm.sock");
    }
    if (::fcntl(socket.get(), F_SETFL, O_NONBLOCK) != 0) {
        return os_error(errno, "set up the socket to the worker");
    }
    return socket;
}

Error hung_up() {
    return Error::unavailable("the worker has closed the socket to the teacher");
}

}  // namespace

/// One ask(): what is to be sent, what is under way, what has come.
struct LlmClient::Exchange {
    std::vector<LlmRequest> requests;
    std::vector<LlmReply> replies;
    std::map<std::int64_t, std::size_t> under_way;  ///< id to place
    std::size_t next = 0;
    std::size_t answered = 0;
    std::string outgoing;
};

Result<LlmClient> LlmClient::connect(
    const std::filesystem::path& job_folder,
    const CancelToken& cancel,
    const Clock& clock,
    const LlmClientOptions& options
) {
    auto socket = connect_in(job_folder);
    if (!socket && socket.error().code == ErrorCode::kNotFound) {
        return Error::not_found("the worker offers this job no endpoint to ask")
            .hint("name a teacher as provider/model, one that the worker's operator has configured"
            );
    }
    if (!socket) {
        return Error::unavailable("cannot reach the teacher: {}", socket.error().message);
    }
    return LlmClient(*std::move(socket), cancel, clock, options);
}

Result<std::vector<LlmReply>> LlmClient::ask(std::vector<LlmRequest> requests) {
    Exchange exchange{.requests = std::move(requests)};
    exchange.replies.resize(exchange.requests.size());
    auto heard_at = clock_->steady_now();
    while (exchange.answered < exchange.requests.size()) {
        TRY_STATUS(cancel_->check());
        TRY_STATUS(send_some(exchange));
        pollfd watched{
            .fd = socket_.get(),
            .events = static_cast<short>(exchange.outgoing.empty() ? POLLIN : POLLIN | POLLOUT),
            .revents = 0,
        };
        static_cast<void>(::poll(&watched, 1, kTickMilliseconds));
        TRY(const bool has_come, receive_some(exchange));
        const auto now = clock_->steady_now();
        heard_at = has_come ? now : heard_at;
        if (now - heard_at > options_.silence_max) {
            return Error::deadline_exceeded(
                "no answer of the teacher within {} s", options_.silence_max.count()
            );
        }
    }
    return std::move(exchange.replies);
}

Status LlmClient::send_some(Exchange& exchange) {
    while (true) {
        if (exchange.outgoing.empty() && exchange.next < exchange.requests.size() &&
            exchange.under_way.size() < options_.outstanding_max) {
            LlmRequest& request = exchange.requests[exchange.next];
            request.id = ++last_id_;
            exchange.outgoing = to_json(request) + "\n";
            if (exchange.outgoing.size() >= protocol::kLlmLineBytesMax) {
                return Error::invalid_argument(
                    "a question of {} bytes is too long for any teacher", exchange.outgoing.size()
                );
            }
            exchange.under_way.emplace(request.id, exchange.next++);
        }
        if (exchange.outgoing.empty()) {
            return {};
        }
        const ssize_t sent =
            ::send(socket_.get(), exchange.outgoing.data(), exchange.outgoing.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0 && errno == EAGAIN) {
            return {};
        }
        if (sent < 0) {
            return hung_up();
        }
        exchange.outgoing.erase(0, static_cast<std::size_t>(sent));
    }
}

/// True if a reply has come.
Result<bool> LlmClient::receive_some(Exchange& exchange) {
    const std::size_t answered = exchange.answered;
    std::array<char, 65536> room;
    while (true) {
        const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return exchange.answered > answered;
        }
        if (got <= 0) {
            return hung_up();
        }
        std::string_view bytes(room.data(), static_cast<std::size_t>(got));
        for (std::size_t end = bytes.find('\n'); end != std::string_view::npos;
             end = bytes.find('\n')) {
            received_ += bytes.substr(0, end);
            bytes.remove_prefix(end + 1);
            TRY_STATUS(take_line(exchange, std::exchange(received_, {})));
        }
        received_ += bytes;
    }
}

Status LlmClient::take_line(Exchange& exchange, const std::string& line) {
    auto reply = from_json<LlmReply>(line, {.unknown_keys = UnknownKeys::kIgnore});
    if (!reply) {
        return Error::internal("the worker's reply cannot be read: {}", reply.error().to_string());
    }
    const auto place = exchange.under_way.find(reply->id);
    if (place == exchange.under_way.end()) {
        const auto& told = reply->error;
        return told ? to_error(*told) : Error::internal("the worker answers what nobody asked");
    }
    exchange.replies[place->second] = *std::move(reply);
    exchange.under_way.erase(place);
    ++exchange.answered;
    return {};
}

Error to_error(const protocol::EngineError& error) {
    Error made(error_code_from(error.code).value_or(ErrorCode::kInternal), error.message);
    made.param = error.param;
    made.advice = error.hint;
    return made;
}

bool is_cost_cap(const protocol::EngineError& error) {
    return error.param == protocol::kCostCapParam;
}

bool is_about_one_request(const protocol::EngineError& error) {
    const auto code = error_code_from(error.code);
    return code == ErrorCode::kMalformed || code == ErrorCode::kInvalidArgument;
}

}  // namespace nexa::pipelines
