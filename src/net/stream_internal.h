// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <tuple>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "net/pools.h"

namespace nexa::net {

/// What a connection needs of a byte stream, so that TLS is one more class.
///
/// Used on one serial executor. Errors come as codes, never as exceptions.
class Stream {
public:
    using IoResult = std::tuple<boost::system::error_code, std::size_t>;
    using Buffers = std::array<asio::const_buffer, 2>;

    Stream() = default;
    virtual ~Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    virtual asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) = 0;
    virtual asio::awaitable<IoResult> write_some(Buffers buffers) = 0;
    /// Ends the pending read or write with operation_aborted.
    virtual void cancel() = 0;
    virtual void shutdown_send() = 0;
    virtual void close() = 0;
    /// True once the peer has closed its side, whatever is still unread. Does not block.
    virtual bool peer_gone() = 0;
    /// For a protocol that takes the connection over and speaks through a library.
    virtual asio::ip::tcp::socket& socket() = 0;
};

}  // namespace nexa::net
