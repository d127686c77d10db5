// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/json_writer.h"
#include "fakes/http_host.h"

namespace nexa::worker {

/// An OpenAI-compatible teacher over real HTTP that says back what it was asked, or what the test
/// has prepared. 11 tokens in and 5 out for each answer. Thread-safe.
class FakeTeacher {
public:
    struct Prepared {
        int status = 200;
        std::string body = R"({"error":{"message":"not now"}})";
        std::string retry_after;
    };
    struct Seen {
        std::string authorization;
        std::string body;
    };

    std::string url() const { return host_.url() + "/v1"; }
    void answer_with(Prepared prepared) {
        const std::lock_guard lock(mutex_);
        prepared_.push_back(std::move(prepared));
    }
    /// Answers nothing until release().
    void hold() { held_ = true; }
    void release() { held_ = false; }
    std::vector<Seen> seen() {
        const std::lock_guard lock(mutex_);
        return seen_;
    }
    void wait_for_requests(std::size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(30), [&] {
            return seen_.size() >= count;
        }));
    }
    int most_at_once() const { return most_at_once_; }

    std::atomic<int> choices_max = 100;

private:
    net::Task<net::Response> answer(net::Request request) {
        const int at_once = ++at_once_;
        std::optional<Prepared> prepared;
        {
            const std::lock_guard lock(mutex_);
            most_at_once_ = std::max(most_at_once_.load(), at_once);
            seen_.push_back(
                {.authorization = std::string(request.head->headers.get("authorization")),
                 .body = request.body}
            );
            if (!prepared_.empty()) {
                prepared = prepared_.front();
                prepared_.pop_front();
            }
            changed_.notify_all();
        }
        while (held_) {
            CO_TRY_STATUS(co_await net::sleep_for(std::chrono::milliseconds(5)));
        }
        --at_once_;
        if (prepared) {
            net::Response response =
                net::Response::json(std::move(prepared->body), prepared->status);
            if (!prepared->retry_after.empty()) {
                response.headers.add("Retry-After", prepared->retry_after);
            }
            co_return response;
        }
        co_return net::Response::json(completion(request.body));
    }

    std::string completion(const std::string& body) const {
        const auto asked = parse_json(body);
        const std::string said =
            "echo: " + asked->find("messages")->items.back().find("content")->text;
        const int n = std::min(std::stoi(asked->find("n")->text), choices_max.load());
        JsonWriter json;
        json.begin_object();
        json.key("object");
        json.string("chat.completion");
        json.key("choices");
        json.begin_array();
        for (int i = 0; i < n; ++i) {
            json.begin_object();
            json.key("index");
            json.whole(i);
            json.key("message");
            json.begin_object();
            json.key("role");
            json.string("assistant");
            json.key("content");
            json.string(said);
            json.end_object();
            json.key("finish_reason");
            json.string("stop");
            json.end_object();
        }
        json.end_array();
        json.key("usage");
        json.raw(fmt::format(R"({{"prompt_tokens":11,"completion_tokens":{}}})", 5 * n));
        json.end_object();
        return json.take();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Prepared> prepared_;
    std::vector<Seen> seen_;
    std::atomic<bool> held_ = false;
    std::atomic<int> at_once_ = 0;
    std::atomic<int> most_at_once_ = 0;
    fakes::HttpHost host_{{{
        .method = net::Method::kPost,
        .path = "/v1/chat/completions",
        .auth = net::Auth::kPublic,
        .body_bytes_max = 16 << 20,
        .handler = [this](net::Request request) { return answer(std::move(request)); },
    }}};
};

}  // namespace nexa::worker
