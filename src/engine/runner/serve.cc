// SPDX-License-Identifier: Apache-2.0
#include "engine/runner/serve.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "core/file.h"
#include "core/guard.h"
#include "core/os_error.h"

namespace nexa::runner {

namespace {

using protocol::RunnerSays;

constexpr int kIdlePollMilliseconds = 1'000;
/// Without descriptors there is no use in looking at once whether somebody still waits.
constexpr int kListenerRestMilliseconds = 100;
constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

Result<UniqueFd> listen_at(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.native().size() >= sizeof(address.sun_path)) {
        return Error::invalid_argument("the socket's path {} is too long", path.native())
            .hint("give one of at most 107 bytes, for example a relative one");
    }
    std::memcpy(address.sun_path, path.c_str(), path.native().size());
    UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!listener) {
        return os_error(errno, "make a socket");
    }
    ::unlink(path.c_str());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    // Until it listens nobody can connect, so nobody comes before the mode is set.
    if (::bind(listener.get(), generic, sizeof(address)) != 0 ||
        ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(listener.get(), SOMAXCONN) != 0) {
        return os_error(errno, fmt::format("listen at {}", path.native()));
    }
    return listener;
}

struct Client {
    GenerationSet::Client number;
    UniqueFd socket;
    protocol::FrameSplitter splitter{};
    std::string unsent{};
    bool greeted = false;
    bool is_leaving = false;  ///< gets what is unsent, and is cut off then
    bool has_gone = false;
};

class Server {
public:
    Server(const ServeOptions& options, const ServingModel& model, UniqueFd listener)
        : options_(options),
          ready_(model.describe()),
          generations_(model, options.limits),
          listener_(std::move(listener)) {
        ready_.active_max = static_cast<int>(options.limits.active_max);
        ready_.waiting_max = static_cast<int>(options.limits.waiting_max);
    }

    Status run() {
        bool has_advanced = false;
        while (true) {
            // While there is something to compute, only look.
            TRY(const bool goes_on, exchange(has_advanced ? 0 : kIdlePollMilliseconds));
            if (!goes_on) {
                return {};
            }
            has_advanced = generations_.advance_all(
                [this](GenerationSet::Client number, const RunnerSays& says) {
                    tell(*client_of(number), says);
                },
                [this](GenerationSet::Client number) {
                    return client_of(number)->unsent.size() < options_.unread_bytes_max;
                }
            );
            for (Client& client : clients_) {
                send(client);
            }
            drop_those_gone();
        }
    }

private:
    /// Reads and writes what can be; false if it is time to end.
    Result<bool> exchange(int wait_milliseconds) {
        std::vector<pollfd> watched{
            {.fd = options_.stop_fd, .events = POLLIN, .revents = 0},
            {.fd = options_.parent_fd, .events = POLLIN, .revents = 0},
            {.fd = listens() ? listener_.get() : -1, .events = POLLIN, .revents = 0},
        };
        const std::size_t first_client = watched.size();
        for (const Client& client : clients_) {
            const int wanted =
                (client.is_leaving ? 0 : POLLIN) | (client.unsent.empty() ? 0 : POLLOUT);
            watched.push_back(
                {.fd = client.socket.get(), .events = static_cast<short>(wanted), .revents = 0}
            );
        }
        const int wait = listener_rests_ ? std::min(wait_milliseconds, kListenerRestMilliseconds)
                                         : wait_milliseconds;
        listener_rests_ = false;
        const int ready = ::poll(watched.data(), watched.size(), wait);
        if (ready < 0 && errno != EINTR) {
            return os_error(errno, "wait for requests");
        }
        if (ready <= 0) {
            return true;
        }
        if (watched[0].revents != 0 || (watched[1].revents != 0 && parent_has_gone())) {
            return false;
        }
        auto events = watched.begin() + static_cast<std::ptrdiff_t>(first_client);
        for (Client& client : clients_) {
            const int what = (events++)->revents;
            if ((what & POLLOUT) != 0) {
                send(client);
            }
            if ((what & (POLLIN | POLLHUP | POLLERR)) != 0) {
                receive(client);
            }
        }
        drop_those_gone();
        if (watched[2].revents != 0) {
            accept_one();
        }
        return true;
    }

    bool listens() const { return clients_.size() < options_.clients_max && !listener_rests_; }

    bool parent_has_gone() const {
        std::array<char, 256> dropped;
        const ssize_t got = ::read(options_.parent_fd, dropped.data(), dropped.size());
        return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    }

    void accept_one() {
        UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (socket) {
            clients_.push_back({.number = ++last_number_, .socket = std::move(socket)});
            return;
        }
        // It went again; or descriptors or memory are short, and it stays ready to be accepted.
        listener_rests_ = errno != EAGAIN && errno != ECONNABORTED && errno != EINTR;
    }

    void receive(Client& client) {
        std::array<char, kReadBytes> room;
        const ssize_t got = ::recv(client.socket.get(), room.data(), room.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            client.has_gone = true;
            return;
        }
        if (client.is_leaving) {
            return;
        }
        auto lines = client.splitter.feed({room.data(), static_cast<std::size_t>(got)});
        if (!lines) {
            cut_off(client, lines.error());
            return;
        }
        for (const std::string& line : *lines) {
            if (!client.is_leaving) {
                take(client, line);
            }
        }
    }

    void take(Client& client, const std::string& line) {
        auto ask = protocol::read_ask(line);
        if (!ask) {
            cut_off(client, ask.error());
            return;
        }
        if (!client.greeted && !std::holds_alternative<protocol::RunnerHello>(*ask)) {
            cut_off(client, Error::malformed("the first frame is not a hello"));
            return;
        }
        std::visit([&](const auto& frame) { on(client, frame); }, *ask);
    }

    void on(Client& client, const protocol::RunnerHello& hello) {
        if (hello.version != protocol::kRunnerProtocolVersion) {
            cut_off(
                client,
                Error::invalid_argument(
                    "version {} is spoken here, not {}",
                    protocol::kRunnerProtocolVersion,
                    hello.version
                )
            );
            return;
        }
        client.greeted = true;
        tell(client, ready_);
    }

    void on(Client& client, const protocol::GenerateRequest& request) {
        const Status accepted = generations_.add(client.number, request);
        if (!accepted) {
            tell(client, failure_of(request.id, accepted.error()));
        }
    }

    void on(Client& client, const protocol::CancelRequest& cancel) {
        generations_.cancel(client.number, cancel.id);
    }

    static void tell(Client& client, const RunnerSays& says) {
        client.unsent += protocol::to_frame(says);
    }

    void cut_off(Client& client, const Error& error) {
        tell(client, failure_of("", error));
        client.is_leaving = true;
        generations_.drop_client(client.number);
    }

    static void send(Client& client) {
        std::size_t sent = 0;
        while (sent < client.unsent.size()) {
            const ssize_t count = ::send(
                client.socket.get(),
                client.unsent.data() + sent,
                client.unsent.size() - sent,
                MSG_NOSIGNAL
            );
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count < 0) {
                client.has_gone = client.has_gone || errno != EAGAIN;
                break;
            }
            sent += static_cast<std::size_t>(count);
        }
        client.unsent.erase(0, sent);
        client.has_gone = client.has_gone || (client.is_leaving && client.unsent.empty());
    }

    void drop_those_gone() {
        for (auto client = clients_.begin(); client != clients_.end();) {
            if (client->has_gone) {
                generations_.drop_client(client->number);
                client = clients_.erase(client);
            } else {
                ++client;
            }
        }
    }

    /// Only of a client that has requests, and so is there.
    Client* client_of(GenerationSet::Client number) {
        for (Client& client : clients_) {
            if (client.number == number) {
                return &client;
            }
        }
        NEXA_CHECK(false);
    }

    const ServeOptions& options_;
    protocol::RunnerReady ready_;
    GenerationSet generations_;
    UniqueFd listener_;
    std::list<Client> clients_;
    GenerationSet::Client last_number_ = 0;
    bool listener_rests_ = false;  ///< out of the next poll
};

/// Away at the end, unless another runner has taken the path meanwhile: then it is that one's.
class SocketFile {
public:
    explicit SocketFile(const std::filesystem::path& path) : path_(path) { inode_ = inode(); }
    ~SocketFile() {
        if (inode_ != 0 && inode() == inode_) {
            ::unlink(path_.c_str());
        }
    }
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;

private:
    ino_t inode() const {
        struct stat about{};
        return ::lstat(path_.c_str(), &about) == 0 ? about.st_ino : 0;
    }
    std::filesystem::path path_;
    ino_t inode_ = 0;
};

}  // namespace

Status serve(const ServeOptions& options) {
    return guard([&]() -> Status {
        TRY(const ServingModel model, ServingModel::load(options.model_folder));
        TRY(UniqueFd listener, listen_at(options.socket));
        const SocketFile file(options.socket);
        return Server(options, model, std::move(listener)).run();
    });
}

}  // namespace nexa::runner
