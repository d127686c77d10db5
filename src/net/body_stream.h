// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/mutex.h"
#include "net/http_types.h"

namespace nexa::net {

struct BodyStreamOptions {
    /// Bytes that may wait for the reader. A piece of any size fits into an empty stream.
    std::size_t bytes_max = 256 * 1024;
    /// Read out when nothing was written for `idle_after`; zero: never.
    std::string idle_piece = {};
    std::chrono::milliseconds idle_after{0};
    /// What drain() does: true ends the stream, for clients that come back by themselves.
    bool ends_on_drain = false;
    /// Called, without a lock held, when the reader has made room, and when it has gone.
    std::function<void()> on_room = {};
};

/// A bounded queue of bytes between whoever produces a body and the connection that sends it.
///
/// Thread-safe; one reader. Shared by both ends, since either may go first.
class BodyStream : public BodySource {
public:
    explicit BodyStream(BodyStreamOptions options) : options_(std::move(options)) {}

    /// Never waits. Errors: kResourceExhausted if there is no room, kCancelled if the reader has
    /// gone or the stream has ended.
    Status try_write(std::string_view bytes);
    /// Waits for room: the peer's socket is what slows the producer down. Errors: kCancelled.
    Task<void> write(std::string bytes);
    /// The reader gets what is queued, then the end. Later writes fail. Repeatable.
    void finish();
    /// The reader gets what is queued, then this error.
    void fail(Error error);
    /// True once nothing that is written will be read.
    bool closed() const;

    Task<std::string> read() override;
    void close() override;
    void drain() override;

private:
    enum class State : std::uint8_t { kOpen, kFinished, kClosed };

    Status check_open() const NEXA_REQUIRES(mutex_);
    bool has_room(std::size_t bytes) const NEXA_REQUIRES(mutex_);
    void end(State state, std::optional<Error> error);
    void wake_reader();
    void wake_writers();
    std::optional<Result<std::string>> take();
    Task<void> wait_for_bytes();
    Task<void> wait_for_room(std::size_t bytes);

    const BodyStreamOptions options_;
    mutable Mutex mutex_;
    std::string queued_ NEXA_GUARDED_BY(mutex_);
    State state_ NEXA_GUARDED_BY(mutex_) = State::kOpen;
    std::optional<Error> error_ NEXA_GUARDED_BY(mutex_);
    std::optional<Done<void>> reader_ NEXA_GUARDED_BY(mutex_);
    std::vector<Done<void>> writers_ NEXA_GUARDED_BY(mutex_);
};

}  // namespace nexa::net
