// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/check.h"
#include "core/child_process.h"
#include "core/clock.h"
#include "core/file.h"
#include "fakes/temp_folder.h"

namespace nexa::fakes {

/// Whether a missing part of the machine fails a test instead of skipping it.
inline bool parts_are_required() {
    const char* const wish = std::getenv("NEXA_TEST_PARTS");
    return wish != nullptr && std::string_view(wish) == "require";
}

/// Where tools/setup puts programs that tests alone need; tests run in the repository's root.
inline std::filesystem::path tool_path(const std::string& name) {
    return std::filesystem::path(".cache/go-bin") / name;
}

/// A real object store on a free port of this machine, with a folder of its own; gone with this
/// object.
class ObjectServer {
public:
    static constexpr const char* kKeyId = "nexa-test-key";
    static constexpr const char* kSecret = "nexa-test-secret";

    /// Blocks until it answers. `program` is minio, versitygw or fake-gcs-server. Null if it is not
    /// installed.
    static std::unique_ptr<ObjectServer> start(const std::string& program) {
        if (!std::filesystem::exists(tool_path(program))) {
            return nullptr;
        }
        auto server = std::unique_ptr<ObjectServer>(new ObjectServer());
        server->run(program);
        return server;
    }

    /// "http://127.0.0.1:4711"
    std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
    const std::filesystem::path& folder() const { return folder_.path(); }

private:
    ObjectServer() = default;

    void run(const std::string& program) {
        // Another program may take the port between the look and the start: then the next one.
        constexpr int kTriesMax = 5;
        for (int i = 0; i < kTriesMax; ++i) {
            port_ = free_port();
            auto started = ChildProcess::start({
                .argv = arguments(program),
                .environment =
                    {{"MINIO_ROOT_USER", kKeyId},
                     {"MINIO_ROOT_PASSWORD", kSecret},
                     {"MINIO_CI_CD", "on"},
                     {"MINIO_BROWSER", "off"},
                     {"ROOT_ACCESS_KEY", kKeyId},
                     {"ROOT_SECRET_KEY", kSecret},
                     {"HOME", folder_.path().native()}},
                .standard_output = StdioFile{.path = folder_.path() / "log"},
                .standard_error = StdioFile{.path = folder_.path() / "log", .append = true},
            });
            NEXA_CHECK(started.has_value());
            process_.emplace(*std::move(started));
            if (answers()) {
                return;
            }
        }
        fmt::print(stderr, "{} does not start: see {}\n", program, folder_.path().native());
        NEXA_CHECK(false);
    }

    std::vector<std::string> arguments(const std::string& program) const {
        const std::string path = std::filesystem::absolute(tool_path(program)).native();
        const std::string address = fmt::format("127.0.0.1:{}", port_);
        const std::string data = folder_.path() / "data";
        std::filesystem::create_directories(data);
        if (program == "minio") {
            return {path, "server", "--quiet", "--address", address, data};
        }
        if (program == "versitygw") {
            return {path, "--port", address, "--quiet", "posix", data};
        }
        return {
            path,
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-port",
            fmt::to_string(port_),
            "-public-host",
            address,
            "-backend",
            "memory"
        };
    }

    static std::uint16_t free_port() {
        const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        NEXA_CHECK(::bind(probe.get(), raw, size) == 0);
        NEXA_CHECK(::getsockname(probe.get(), raw, &size) == 0);
        return ntohs(address.sin_port);
    }

    /// Whether it answers requests: it listens before it can, and then says 503.
    bool is_ready() const {
        const UniqueFd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port_);
        constexpr std::string_view kAsk = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
        std::array<char, 12> start{};  // "HTTP/1.1 403"
        if (::connect(probe.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
            ::send(probe.get(), kAsk.data(), kAsk.size(), MSG_NOSIGNAL) < 0 ||
            ::recv(probe.get(), start.data(), start.size(), MSG_WAITALL) < 12) {
            return false;
        }
        return start[9] != '5';
    }

    /// False if it has ended.
    bool answers() {
        const SystemClock clock;
        const auto deadline = clock.steady_now() + std::chrono::seconds(60);
        while (clock.steady_now() < deadline) {
            if (is_ready()) {
                return true;
            }
            // Wakes at once if it ends.
            if (process_->wait(clock.steady_now() + std::chrono::milliseconds(20))) {
                return false;
            }
        }
        return false;
    }

    TempFolder folder_;
    std::uint16_t port_ = 0;
    std::optional<ChildProcess> process_;
};

}  // namespace nexa::fakes
