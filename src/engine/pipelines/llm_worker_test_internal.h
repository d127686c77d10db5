// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/file.h"
#include "core/json.h"
#include "protocol/llm_messages.h"

namespace nexa::pipelines {

/// The worker's end of FOLDER/llm.sock, for one connection: collects requests until there are
/// `batch` (or no more come for a while) and answers them, the last one first.
class FakeLlmWorker {
public:
    using Answer = std::function<protocol::LlmReply(const protocol::LlmRequest&)>;

    FakeLlmWorker(const std::filesystem::path& folder, Answer answer, std::size_t batch = 1)
        : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = (folder / "llm.sock").native();
        EXPECT_LT(name.size(), sizeof(address.sun_path));
        std::memcpy(&address.sun_path[0], name.c_str(), name.size() + 1);
        const void* raw = &address;
        EXPECT_EQ(::bind(listener_.get(), static_cast<const sockaddr*>(raw), sizeof(address)), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        thread_ = std::thread([this, answer = std::move(answer), batch] { serve(answer, batch); });
    }
    ~FakeLlmWorker() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    FakeLlmWorker(const FakeLlmWorker&) = delete;
    FakeLlmWorker& operator=(const FakeLlmWorker&) = delete;

    std::vector<protocol::LlmRequest> seen() {
        const std::lock_guard lock(mutex_);
        return seen_;
    }
    std::size_t most_under_way() {
        const std::lock_guard lock(mutex_);
        return most_under_way_;
    }

private:
    void serve(const Answer& answer, std::size_t batch) {
        const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string bytes;
        std::vector<protocol::LlmRequest> waiting;
        std::array<char, 65536> room{};
        while (peer) {
            const bool more = *wait_readable(peer.get(), std::chrono::milliseconds(200));
            if (more) {
                const ssize_t got = ::recv(peer.get(), room.data(), room.size(), 0);
                if (got <= 0) {
                    return;
                }
                bytes.append(room.data(), static_cast<std::size_t>(got));
                take_lines(bytes, waiting);
            }
            if (waiting.size() < batch && (more || waiting.empty())) {
                continue;
            }
            for (; !waiting.empty(); waiting.pop_back()) {
                protocol::LlmReply reply = answer(waiting.back());
                if (reply.id < 0) {
                    return;  // hangs up
                }
                if (!send_line(peer.get(), to_json(reply) + "\n")) {
                    return;  // the client may have gone
                }
            }
        }
    }
    static bool send_line(int peer, std::string_view line) {
        while (!line.empty()) {
            const ssize_t sent = ::send(peer, line.data(), line.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            line.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void take_lines(std::string& bytes, std::vector<protocol::LlmRequest>& waiting) {
        for (std::size_t end = bytes.find('\n'); end != std::string::npos; end = bytes.find('\n')) {
            auto request = from_json<protocol::LlmRequest>(bytes.substr(0, end));
            bytes.erase(0, end + 1);
            ASSERT_TRUE(request);
            waiting.push_back(*request);
            const std::lock_guard lock(mutex_);
            seen_.push_back(*std::move(request));
            most_under_way_ = std::max(most_under_way_, waiting.size());
        }
    }

    UniqueFd listener_;
    std::mutex mutex_;
    std::vector<protocol::LlmRequest> seen_;
    std::size_t most_under_way_ = 0;
    std::thread thread_;
};

}  // namespace nexa::pipelines
