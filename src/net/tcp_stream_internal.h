// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "net/stream_internal.h"

namespace nexa::net {

class TcpStream final : public Stream {
public:
    explicit TcpStream(asio::ip::tcp::socket socket);

    asio::awaitable<IoResult> read_some(asio::mutable_buffer buffer) override;
    asio::awaitable<IoResult> write_some(Buffers buffers) override;
    void cancel() override;
    void shutdown_send() override;
    void close() override;
    bool peer_gone() override;
    asio::ip::tcp::socket& socket() override { return socket_; }

private:
    asio::ip::tcp::socket socket_;
};

}  // namespace nexa::net
