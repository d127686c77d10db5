// SPDX-License-Identifier: Apache-2.0
#include "cli/local_port.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "core/file.h"

namespace nexa::cli {

namespace {

/// Binds for a moment: the port `wanted` (0: any) on loopback, or nothing if it is taken.
std::optional<std::uint16_t> bindable(std::uint16_t wanted) {
    const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe) {
        return std::nullopt;
    }
    const int yes = 1;
    ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    sockaddr_in address{
        .sin_family = AF_INET,
        .sin_port = htons(wanted),
        .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
        .sin_zero = {},
    };
    socklen_t size = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(probe.get(), raw, size) != 0 || ::getsockname(probe.get(), raw, &size) != 0) {
        return std::nullopt;
    }
    return ntohs(address.sin_port);
}

}  // namespace

bool is_port_free(std::uint16_t port) {
    return bindable(port).has_value();
}

Error port_is_taken(std::uint16_t port, std::string_view flag) {
    return Error::unavailable("port {} is taken", port)
        .at(std::string(flag))
        .hint("stop the program that has it, or name another one");
}

Result<std::uint16_t> choose_port(
    std::optional<std::uint16_t> asked, std::uint16_t usual, std::string_view flag
) {
    if (asked) {
        return is_port_free(*asked) ? Result<std::uint16_t>(*asked) : port_is_taken(*asked, flag);
    }
    if (const auto port = bindable(usual)) {
        return *port;
    }
    if (const auto port = bindable(0)) {
        return *port;
    }
    return Error::unavailable("there is no free port on 127.0.0.1").at(std::string(flag));
}

}  // namespace nexa::cli
