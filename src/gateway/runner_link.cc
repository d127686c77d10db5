// SPDX-License-Identifier: Apache-2.0
#include "gateway/runner_link.h"

#include <array>
#include <utility>
#include <variant>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "net/body_stream.h"

namespace nexa::gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

Error hung_up(const std::string& why) {
    return Error::unavailable("the model's runner has gone: {}", why);
}

/// What a runner said of a request, as our own error.
Error error_of(const protocol::RunnerFailed& failed) {
    Error error(error_code_from(failed.code).value_or(ErrorCode::kInternal), failed.message);
    return failed.param.empty() ? error : std::move(error).at(failed.param);
}

}  // namespace

struct RunnerLink::Wire {
    Wire(asio::any_io_executor on, std::size_t unsent_bytes_max)
        : strand(std::move(on)), socket(strand), unsent({.bytes_max = unsent_bytes_max}) {}

    /// Reads and writes that wait end. Only on the strand.
    void hang_up() {
        boost::system::error_code ignored;
        socket.shutdown(asio::local::stream_protocol::socket::shutdown_both, ignored);
    }

    asio::any_io_executor strand;  ///< reading and writing never happen at the same time
    asio::local::stream_protocol::socket socket;
    protocol::FrameSplitter splitter;
    std::array<char, kReadBytes> room;
    net::BodyStream unsent;
};

RunnerLink::RunnerLink(std::unique_ptr<Wire> wire) : wire_(std::move(wire)) {}
RunnerLink::~RunnerLink() = default;

net::Task<std::shared_ptr<RunnerLink>> RunnerLink::open(
    Collaborators with,
    std::filesystem::path socket,
    std::function<void()> on_end,
    std::size_t unsent_bytes_max
) {
    auto wire = std::make_unique<Wire>(with.io.serial_executor(), unsent_bytes_max);
    const asio::local::stream_protocol::endpoint endpoint(socket.native());
    const auto [failed] = co_await wire->socket.async_connect(endpoint, kNoThrow);
    if (failed) {
        co_return hung_up(failed.message());
    }
    const std::shared_ptr<RunnerLink> link(new RunnerLink(std::move(wire)));
    CO_TRY_STATUS(co_await link->greet());
    link->on_end_ = std::move(on_end);
    CO_TRY_STATUS(link->start(with.tasks));
    co_return link;
}

net::Task<void> RunnerLink::greet() {
    const std::string hello = protocol::to_frame(protocol::RunnerHello{});
    const auto [unsent, sent] =
        co_await asio::async_write(wire_->socket, asio::buffer(hello), kNoThrow);
    if (unsent) {
        co_return hung_up(unsent.message());
    }
    std::vector<std::string> lines;
    while (lines.empty()) {
        const auto [failed, got] =
            co_await wire_->socket.async_read_some(asio::buffer(wire_->room), kNoThrow);
        if (failed) {
            co_return hung_up(failed.message());
        }
        CO_TRY(lines, wire_->splitter.feed({wire_->room.data(), got}));
    }
    auto says = protocol::read_says(lines.front());
    if (!says) {
        co_return std::move(says).error().while_doing("greet a runner");
    }
    if (const auto* failure = std::get_if<protocol::RunnerFailed>(&*says)) {
        co_return error_of(*failure);
    }
    const auto* ready = std::get_if<protocol::RunnerReady>(&*says);
    if (ready == nullptr || ready->version != protocol::kRunnerProtocolVersion) {
        co_return Error::malformed("the runner speaks another protocol: {}", lines.front());
    }
    co_return ok();
}

Status RunnerLink::start(net::TaskGroup& tasks) {
    TRY_STATUS(tasks.spawn_on(wire_->strand, "runner reader", read_all(shared_from_this())));
    auto writer = tasks.spawn_on(wire_->strand, "runner writer", write_all(shared_from_this()));
    if (!writer) {
        close();
        return std::move(writer).error();
    }
    return {};
}

net::Task<void> RunnerLink::read_all(std::shared_ptr<RunnerLink> self) {
    // Also when the task is cancelled, nobody may wait for answers any more.
    struct AtEnd {
        RunnerLink& link;
        Error why = hung_up("the gateway is stopping");
        ~AtEnd() { link.end(why); }
    } at_end{*self};
    Wire& wire = *self->wire_;
    while (true) {
        const auto [failed, got] =
            co_await wire.socket.async_read_some(asio::buffer(wire.room), kNoThrow);
        if (failed) {
            at_end.why = hung_up(failed.message());
            co_return ok();
        }
        auto lines = wire.splitter.feed({wire.room.data(), got});
        Status taken = lines ? self->take_all(*lines) : Status(lines.error());
        if (!taken) {
            at_end.why = hung_up(taken.error().to_string());
            co_return std::move(taken).error().while_doing("listen to a runner");
        }
    }
}

net::Task<void> RunnerLink::write_all(std::shared_ptr<RunnerLink> self) {
    Wire& wire = *self->wire_;
    while (true) {
        const Result<std::string> bytes = co_await wire.unsent.read();
        if (!bytes || bytes->empty()) {
            break;
        }
        const auto [failed, sent] =
            co_await asio::async_write(wire.socket, asio::buffer(*bytes), kNoThrow);
        if (failed) {
            break;
        }
    }
    // The reader sees the end of the connection, and ends too.
    wire.hang_up();
    co_return ok();
}

Status RunnerLink::take_all(const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
        TRY(const protocol::RunnerSays says, protocol::read_says(line));
        TRY_STATUS(std::visit([this](const auto& frame) { return on(frame); }, says));
    }
    return {};
}

Status RunnerLink::on(const protocol::RunnerReady&) {
    return Error::malformed("a second ready");
}

Status RunnerLink::on(const protocol::RunnerDelta& delta) {
    // One that was stopped may still have had something to say.
    if (const auto generation = find(delta.id)) {
        generation->append(delta);
    }
    return {};
}

Status RunnerLink::on(const protocol::RunnerDone& done) {
    if (const auto generation = remove(done.id)) {
        generation->finish(done);
    }
    return {};
}

Status RunnerLink::on(const protocol::RunnerFailed& failed) {
    if (failed.id.empty()) {
        return error_of(failed);
    }
    if (const auto generation = remove(failed.id)) {
        generation->fail(error_of(failed));
    }
    return {};
}

std::shared_ptr<Generation> RunnerLink::find(const std::string& id) {
    const Lock lock(mutex_);
    const auto found = generations_.find(id);
    return found == generations_.end() ? nullptr : found->second;
}

std::shared_ptr<Generation> RunnerLink::remove(const std::string& id) {
    const Lock lock(mutex_);
    auto node = generations_.extract(id);
    return node.empty() ? nullptr : std::move(node.mapped());
}

Result<std::unique_ptr<RunningGeneration>> RunnerLink::generate(protocol::GenerateRequest request) {
    auto generation = std::make_shared<Generation>();
    {
        const Lock lock(mutex_);
        if (has_ended_) {
            return hung_up("it ended before the request was sent");
        }
        request.id = fmt::format("g{}", ++last_id_);
        generations_.emplace(request.id, generation);
    }
    const std::string id = request.id;
    const Status queued = wire_->unsent.try_write(protocol::to_frame(std::move(request)));
    if (!queued) {
        remove(id);
        return queued.error().code == ErrorCode::kCancelled ? hung_up("it is being ended")
                                                            : queued.error();
    }
    return std::make_unique<RunningGeneration>(
        std::move(generation),
        [weak = weak_from_this(), id] {
            if (const auto link = weak.lock()) {
                link->stop(id);
            }
        }
    );
}

void RunnerLink::stop(const std::string& id) {
    if (remove(id) == nullptr) {
        return;  // it has ended by itself
    }
    const std::string cancel = protocol::to_frame(protocol::CancelRequest{.id = id});
    if (!wire_->unsent.try_write(cancel)) {
        close();  // a runner that reads nothing more is of no use to anybody
    }
}

std::size_t RunnerLink::running() const {
    const Lock lock(mutex_);
    return generations_.size();
}

bool RunnerLink::has_ended() const {
    const Lock lock(mutex_);
    return has_ended_;
}

void RunnerLink::close() {
    wire_->unsent.close();
    // The writer may be in the middle of a request that the runner does not read.
    asio::post(wire_->strand, [self = shared_from_this()] { self->wire_->hang_up(); });
}

void RunnerLink::end(const Error& why) {
    std::map<std::string, std::shared_ptr<Generation>> left;
    {
        const Lock lock(mutex_);
        has_ended_ = true;
        left.swap(generations_);
    }
    wire_->unsent.close();
    for (const auto& [id, generation] : left) {
        generation->fail(why);
    }
    if (on_end_) {
        on_end_();
    }
}

}  // namespace nexa::gateway
