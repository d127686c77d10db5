// SPDX-License-Identifier: Apache-2.0
#include "net/body_stream.h"

#include <utility>

namespace nexa::net {

Status BodyStream::check_open() const {
    if (state_ == State::kOpen) {
        return {};
    }
    if (state_ == State::kClosed) {
        return Error::cancelled("the reader of the stream has gone");
    }
    return Error::cancelled("the stream has ended");
}

bool BodyStream::has_room(std::size_t bytes) const {
    return queued_.empty() || queued_.size() + bytes <= options_.bytes_max;
}

Status BodyStream::try_write(std::string_view bytes) {
    {
        const Lock lock(mutex_);
        TRY_STATUS(check_open());
        if (!has_room(bytes.size())) {
            return Error::resource_exhausted(
                "the stream holds {} unread bytes already", queued_.size()
            );
        }
        queued_ += bytes;
    }
    wake_reader();
    return {};
}

Task<void> BodyStream::write(std::string bytes) {
    for (;;) {
        const Status written = try_write(bytes);
        if (written || written.error().code != ErrorCode::kResourceExhausted) {
            co_return written;
        }
        CO_TRY_STATUS(co_await wait_for_room(bytes.size()));
    }
}

void BodyStream::end(State state, std::optional<Error> error) {
    {
        const Lock lock(mutex_);
        if (state_ == State::kClosed || (state_ == State::kFinished && state == state_)) {
            return;
        }
        state_ = state;
        error_ = std::move(error);
        if (state == State::kClosed) {
            queued_.clear();
        }
    }
    wake_reader();
    wake_writers();
}

void BodyStream::finish() {
    end(State::kFinished, std::nullopt);
}

void BodyStream::fail(Error error) {
    end(State::kFinished, std::move(error));
}

void BodyStream::close() {
    end(State::kClosed, std::nullopt);
    if (options_.on_room) {
        options_.on_room();
    }
}

void BodyStream::drain() {
    if (options_.ends_on_drain) {
        finish();
    }
}

bool BodyStream::closed() const {
    const Lock lock(mutex_);
    return state_ != State::kOpen;
}

void BodyStream::wake_reader() {
    std::optional<Done<void>> reader;
    {
        const Lock lock(mutex_);
        reader = std::exchange(reader_, std::nullopt);
    }
    if (reader) {
        (*reader)(ok());
    }
}

void BodyStream::wake_writers() {
    std::vector<Done<void>> writers;
    {
        const Lock lock(mutex_);
        writers.swap(writers_);
    }
    for (const Done<void>& writer : writers) {
        writer(ok());
    }
}

/// What a read finds right now; nothing if it must wait.
std::optional<Result<std::string>> BodyStream::take() {
    const Lock lock(mutex_);
    if (!queued_.empty()) {
        return std::exchange(queued_, {});
    }
    if (state_ == State::kOpen) {
        return std::nullopt;
    }
    if (error_) {
        return Result<std::string>(*error_);
    }
    return std::string();
}

Task<std::string> BodyStream::read() {
    for (;;) {
        if (std::optional<Result<std::string>> found = take()) {
            const bool made_room = found->has_value() && !(*found)->empty();
            if (made_room) {
                wake_writers();
            }
            if (made_room && options_.on_room) {
                options_.on_room();
            }
            co_return std::move(*found);
        }
        if (options_.idle_after.count() <= 0) {
            CO_TRY_STATUS(co_await wait_for_bytes());
            continue;
        }
        const Status woken = co_await with_deadline(wait_for_bytes(), options_.idle_after);
        if (!woken && woken.error().code == ErrorCode::kDeadlineExceeded) {
            co_return options_.idle_piece;
        }
        CO_TRY_STATUS(woken);
    }
}

Task<void> BodyStream::wait_for_bytes() {
    return await_callback<void>([this](Done<void> done) {
        {
            const Lock lock(mutex_);
            if (queued_.empty() && state_ == State::kOpen) {
                reader_ = std::move(done);
                return;
            }
        }
        done(ok());
    });
}

Task<void> BodyStream::wait_for_room(std::size_t bytes) {
    return await_callback<void>([this, bytes](Done<void> done) {
        {
            const Lock lock(mutex_);
            if (!has_room(bytes) && state_ == State::kOpen) {
                writers_.push_back(std::move(done));
                return;
            }
        }
        done(ok());
    });
}

}  // namespace nexa::net
