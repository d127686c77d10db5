// SPDX-License-Identifier: Apache-2.0
#include "worker/llm_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/os_error.h"
#include "net/signal.h"
#include "worker/attempt.h"

namespace nexa::worker {

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Local = asio::local::stream_protocol;

constexpr std::size_t kConnectionsMax = 4;
constexpr std::size_t kReadBytes = 65536;
/// An engine that reads nothing for as long has hung.
constexpr std::chrono::minutes kWriteTimeMax{5};
constexpr std::chrono::seconds kLookAgain{5};

constexpr std::string_view kRoom = "room";
constexpr std::string_view kReplies = "replies";

/// A listening socket at FOLDER/llm.sock, whatever the length of that path: a socket's own name is
/// limited to 107 bytes.
Result<UniqueFd> listen_at(const fs::path& folder) {
    const UniqueFd directory(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) {
        return os_error(errno, fmt::format("open {}", folder.native()));
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name =
        fmt::format("/proc/self/fd/{}/{}", directory.get(), protocol::kLlmSocketName);
    NEXA_CHECK(name.size() < sizeof(address.sun_path));
    std::memcpy(&address.sun_path[0], name.c_str(), name.size() + 1);
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener) {
        return os_error(errno, "make a Unix socket");
    }
    const void* raw = &address;
    if (::bind(listener.get(), static_cast<const sockaddr*>(raw), sizeof(address)) != 0) {
        return os_error(errno, fmt::format("bind {}/llm.sock", folder.native()));
    }
    constexpr mode_t kOwnerOnly = 0600;
    if (::fchmodat(directory.get(), std::string(protocol::kLlmSocketName).c_str(), kOwnerOnly, 0) !=
            0 ||
        ::listen(listener.get(), static_cast<int>(kConnectionsMax)) != 0) {
        return os_error(errno, fmt::format("listen at {}/llm.sock", folder.native()));
    }
    return listener;
}

/// One engine that has connected. Everything runs on one serial executor.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(
        Local::socket socket,
        asio::any_io_executor executor,
        net::TaskGroup& tasks,
        std::shared_ptr<LlmSession> session
    )
        : socket_(std::move(socket)),
          executor_(std::move(executor)),
          tasks_(tasks),
          session_(std::move(session)) {}

    Status start() {
        TRY(writer_, tasks_.spawn_on(executor_, "llm replies", write_replies(shared_from_this())));
        TRY(reader_, tasks_.spawn_on(executor_, "llm requests", read_requests(shared_from_this())));
        return {};
    }
    /// From any thread. The connection goes with its tasks.
    void cancel() {
        reader_.cancel();
        writer_.cancel();
    }

private:
    using Self = std::shared_ptr<Connection>;

    // Static, with the connection as a parameter: each task keeps it alive.
    static net::Task<void> read_requests(Self self) {
        const Status status = co_await net::guarded(self->read_until_cut_off());
        for (auto& [number, request] : self->under_way_) {
            request.cancel();
        }
        self->is_closing_ = true;
        self->signal_.notify(std::string(kReplies));
        co_return status;
    }

    bool is_full() const {
        return under_way_.size() + replies_.size() >= protocol::kLlmOutstandingMax && !is_closing_;
    }

    net::Task<void> read_until_cut_off() {
        std::array<char, kReadBytes> bytes{};
        while (true) {
            const auto [error, count] = co_await socket_.async_read_some(
                asio::buffer(bytes), asio::as_tuple(asio::use_awaitable)
            );
            if (error || count == 0) {
                co_return ok();  // the engine has closed its end
            }
            CO_TRY_STATUS(co_await take(std::string(bytes.data(), count)));
            if (is_closing_) {
                co_return ok();
            }
        }
    }

    net::Task<void> take(std::string bytes) {
        net::Signal::Subscription room = signal_.subscribe(std::string(kRoom));
        std::string_view rest = bytes;
        while (!rest.empty() && !is_closing_) {
            const std::size_t end = rest.find('\n');
            line_ += rest.substr(0, end);
            if (line_.size() >= protocol::kLlmLineBytesMax) {
                cut_off(Error::malformed(
                    "a request is longer than {} bytes", protocol::kLlmLineBytesMax
                ));
                break;
            }
            if (end == std::string_view::npos) {
                break;
            }
            rest.remove_prefix(end + 1);
            while (is_full()) {
                CO_TRY_STATUS(co_await room.wait(kLookAgain));
            }
            CO_TRY_STATUS(take_line(std::exchange(line_, {})));
        }
        co_return ok();
    }

    Status take_line(const std::string& line) {
        auto request = from_json<protocol::LlmRequest>(line);
        if (!request) {
            cut_off(std::move(request).error().while_doing("read a request to a teacher"));
            return {};
        }
        const std::uint64_t number = ++last_number_;
        under_way_.emplace(number, net::TaskHandle());
        TRY(const auto task,
            tasks_.spawn_on(
                executor_, "llm request", answer(shared_from_this(), number, *std::move(request))
            ));
        // It may have ended already.
        if (const auto entry = under_way_.find(number); entry != under_way_.end()) {
            entry->second = task;
        }
        return {};
    }

    static net::Task<void> answer(Self self, std::uint64_t number, protocol::LlmRequest request) {
        const auto session = self->session_;
        const Result<protocol::LlmReply> reply =
            co_await net::guarded(session->answer(std::move(request)));
        self->under_way_.erase(number);
        if (reply) {
            self->say(*reply);
        } else {
            self->signal_.notify(std::string(kRoom));
        }
        co_return reply ? ok() : reply.error();
    }

    void cut_off(const Error& error) {
        get_logger("worker").warning("engine cut off", {{"error", error.to_string()}});
        say({.id = 0, .error = to_engine_error(error)});
        is_closing_ = true;
    }

    void say(const protocol::LlmReply& reply) {
        replies_.push_back(to_json(reply) + "\n");
        signal_.notify(std::string(kReplies));
    }

    static net::Task<void> write_replies(Self self) {
        net::Signal::Subscription news = self->signal_.subscribe(std::string(kReplies));
        while (true) {
            if (self->replies_.empty()) {
                if (self->is_closing_) {
                    break;
                }
                CO_TRY_STATUS(co_await news.wait(kLookAgain));
                continue;
            }
            const Status written = co_await net::with_deadline(write_one(self), kWriteTimeMax);
            if (!written) {
                break;
            }
            self->replies_.pop_front();
            self->signal_.notify(std::string(kRoom));
        }
        self->is_closing_ = true;
        self->signal_.notify(std::string(kRoom));
        boost::system::error_code ignored;
        self->socket_.close(ignored);  // ends the reader
        co_return ok();
    }

    static net::Task<void> write_one(Self self) {
        const auto [error, count] = co_await asio::async_write(
            self->socket_, asio::buffer(self->replies_.front()), asio::as_tuple(asio::use_awaitable)
        );
        if (error) {
            co_return Error::unavailable("the engine reads no more: {}", error.message());
        }
        co_return ok();
    }

    Local::socket socket_;
    asio::any_io_executor executor_;
    net::TaskGroup& tasks_;
    std::shared_ptr<LlmSession> session_;
    net::Signal signal_;
    std::string line_;
    std::map<std::uint64_t, net::TaskHandle> under_way_;
    std::uint64_t last_number_ = 0;
    std::deque<std::string> replies_;
    bool is_closing_ = false;
    net::TaskHandle reader_;
    net::TaskHandle writer_;
};

}  // namespace

/// Accepts, and knows who is connected so that all can be cut off.
class LlmSocket::Listener : public std::enable_shared_from_this<Listener> {
public:
    Listener(net::IoPool& io, net::TaskGroup& tasks, std::shared_ptr<LlmSession> session)
        : io_(io), tasks_(tasks), session_(std::move(session)), acceptor_(io.serial_executor()) {}

    Status open(UniqueFd fd) {
        boost::system::error_code error;
        acceptor_.assign(Local(), fd.get(), error);
        if (error) {
            return Error::unavailable("cannot listen for the engine: {}", error.message());
        }
        static_cast<void>(fd.release());
        return {};
    }
    Result<net::TaskHandle> start() {
        return tasks_.spawn_on(acceptor_.get_executor(), "llm.sock", accept(shared_from_this()));
    }
    void cut_all_off() {
        const Lock lock(mutex_);
        for (const std::weak_ptr<Connection>& weak : connections_) {
            if (const auto connection = weak.lock()) {
                connection->cancel();
            }
        }
        is_closed_ = true;
    }

private:
    static net::Task<void> accept(std::shared_ptr<Listener> self) {
        while (true) {
            const asio::any_io_executor executor = self->io_.serial_executor();
            auto [error, socket] = co_await self->acceptor_.async_accept(
                executor, asio::as_tuple(asio::use_awaitable)
            );
            if (error == asio::error::operation_aborted) {
                co_return ok();
            }
            if (error) {  // no descriptor free: later there may be
                CO_TRY_STATUS(co_await net::sleep_for(kLookAgain));
                continue;
            }
            CO_TRY_STATUS(self->add(std::move(socket), executor));
        }
    }

    Status add(Local::socket socket, const asio::any_io_executor& executor) {
        const auto connection =
            std::make_shared<Connection>(std::move(socket), executor, tasks_, session_);
        const Lock lock(mutex_);
        std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
        if (is_closed_ || connections_.size() >= kConnectionsMax) {
            return {};  // dropped, so closed
        }
        connections_.push_back(connection);
        return connection->start();
    }

    net::IoPool& io_;
    net::TaskGroup& tasks_;
    std::shared_ptr<LlmSession> session_;
    Local::acceptor acceptor_;
    Mutex mutex_;
    std::vector<std::weak_ptr<Connection>> connections_ NEXA_GUARDED_BY(mutex_);
    bool is_closed_ NEXA_GUARDED_BY(mutex_) = false;
};

Result<std::unique_ptr<LlmSocket>> LlmSocket::listen(
    net::IoPool& io,
    net::TaskGroup& tasks,
    const fs::path& folder,
    std::shared_ptr<LlmSession> session
) {
    TRY(UniqueFd fd, listen_at(folder));
    std::unique_ptr<LlmSocket> made(new LlmSocket(session, folder / protocol::kLlmSocketName));
    made->listener_ = std::make_shared<Listener>(io, tasks, std::move(session));
    TRY_STATUS(made->listener_->open(std::move(fd)));
    TRY(made->accepting_, made->listener_->start());
    return made;
}

LlmSocket::~LlmSocket() {
    if (listener_) {
        accepting_.cancel();
        listener_->cut_all_off();
    }
    std::error_code gone;
    fs::remove(path_, gone);
}

}  // namespace nexa::worker
