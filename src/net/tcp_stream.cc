// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "net/tcp_stream_internal.h"

namespace nexa::net {

TcpStream::TcpStream(asio::ip::tcp::socket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;  // a socket without TCP_NODELAY is slower, not wrong
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

asio::awaitable<Stream::IoResult> TcpStream::read_some(asio::mutable_buffer buffer) {
    return socket_.async_read_some(buffer, asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<Stream::IoResult> TcpStream::write_some(Buffers buffers) {
    return socket_.async_write_some(buffers, asio::as_tuple(asio::use_awaitable));
}

void TcpStream::cancel() {
    boost::system::error_code ignored;
    socket_.cancel(ignored);
}

void TcpStream::shutdown_send() {
    boost::system::error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void TcpStream::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

bool TcpStream::peer_gone() {
    pollfd descriptor{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
    return ::poll(&descriptor, 1, 0) > 0;
}

}  // namespace nexa::net
