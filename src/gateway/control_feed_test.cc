// SPDX-License-Identifier: Apache-2.0
#include "gateway/control_feed.h"

#include <condition_variable>
#include <mutex>

#include <gtest/gtest.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/json.h"
#include "crypto/dsse.h"
#include "fakes/http_host.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"
#include "net/task_group.h"
#include "protocol/deployment_views.h"

namespace nexa::gateway {
namespace {

using namespace std::chrono_literals;
using protocol::GatewayReport;
using protocol::GatewaySnapshot;

/// The control plane's three routes for gateways, over real HTTP. Thread-safe.
class FakeControlPlane {
public:
    /// With the slash that people leave at its end.
    std::string url() const { return host_.url() + "/"; }
    void say(GatewaySnapshot snapshot) {
        const std::lock_guard lock(mutex_);
        snapshot_ = std::move(snapshot);
    }
    /// From now on snapshots are signed with another key than the one that was shown.
    void forge() {
        const std::lock_guard lock(mutex_);
        is_forged_ = true;
    }
    std::string envelope() {
        const std::lock_guard lock(mutex_);
        return crypto::sign_dsse(
                   protocol::kGatewaySnapshotPayloadType,
                   to_json(snapshot_),
                   is_forged_ ? forger_ : shown_
        )
            .to_json();
    }
    GatewayReport wait_for_report(std::size_t number) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, 30s, [&] { return reports_.size() > number; }));
        return reports_.size() > number ? reports_[number] : GatewayReport{};
    }
    int asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }

private:
    using Handler = net::Task<net::Response> (FakeControlPlane::*)(net::Request);

    net::Route route(net::Method method, std::string path, Handler handler) {
        return {
            .method = method,
            .path = std::move(path),
            .auth = net::Auth::kPublic,
            .body_bytes_max = 1 << 20,
            .handler = [this, handler](net::Request request
                       ) { return (this->*handler)(std::move(request)); },
        };
    }
    net::Task<net::Response> key(net::Request) {
        co_return net::Response::json(
            to_json(protocol::CoordinatorKeyView{.public_key = shown_.public_key().to_base64()})
        );
    }
    net::Task<net::Response> snapshot(net::Request) {
        {
            const std::lock_guard lock(mutex_);
            ++asked_;
        }
        CO_TRY_STATUS(co_await net::sleep_for(10ms));
        co_return net::Response::json(envelope());
    }
    net::Task<net::Response> report(net::Request request) {
        CO_TRY(auto report, from_json<GatewayReport>(request.body));
        const std::lock_guard lock(mutex_);
        reports_.push_back(std::move(report));
        changed_.notify_all();
        co_return net::Response::json(to_json(protocol::GatewayReportReply{.serial = 1}));
    }

    fakes::SeededRandom random_{3};
    const crypto::Ed25519PrivateKey shown_ = crypto::Ed25519PrivateKey::generate(random_);
    const crypto::Ed25519PrivateKey forger_ = crypto::Ed25519PrivateKey::generate(random_);
    std::mutex mutex_;
    std::condition_variable changed_;
    GatewaySnapshot snapshot_;
    std::vector<GatewayReport> reports_;
    int asked_ = 0;
    bool is_forged_ = false;
    fakes::HttpHost host_{{
        route(net::Method::kGet, "/api/gateway/key", &FakeControlPlane::key),
        route(net::Method::kGet, "/api/gateway/snapshot", &FakeControlPlane::snapshot),
        route(net::Method::kPost, "/api/gateway/report", &FakeControlPlane::report),
    }};
};

GatewaySnapshot snapshot(std::int64_t serial, const std::string& region = "local") {
    return {
        .serial = serial,
        .region = region,
        .created_at = "2026-01-01T00:00:00Z",
        .deployments = {{
            .deployment_id = fmt::format("dp_{}", serial),
            .name = "m",
            .project_id = "prj_1",
            .root_digest = "sha256:0",
            .files = {},
        }},
        .keys = {},
    };
}

class ControlFeedTest : public testing::Test {
protected:
    ~ControlFeedTest() override { end(); }

    void open() {
        feed.emplace(
            ControlFeed::Collaborators{
                .http = http,
                .disk = disk,
                .random = random,
                .clock = clock,
                .apply = [this](const GatewaySnapshot& taken) -> Status {
                    const std::lock_guard lock(mutex);
                    if (refuses) {
                        return Error::invalid_argument("not this one");
                    }
                    applied.push_back(taken);
                    changed.notify_all();
                    return {};
                },
                .states =
                    [] {
                        return std::vector<protocol::GatewayDeploymentState>{
                            {.deployment_id = "dp_1", .state = "ready", .message = ""}
                        };
                    },
            },
            ControlFeedSettings{
                .server_url = server.url(),
                .api_key = Secret("nexa_key"),
                .gateway_id = "gw_1",
                .folder = folder.path(),
            }
        );
    }
    void follow() {
        tasks.emplace(io, [](std::string_view, const Error&) {});
        ASSERT_TRUE(tasks->spawn("follow", feed->follow()));
        ASSERT_TRUE(tasks->spawn("report", feed->report("http://gw.example")));
    }
    void end() {
        if (tasks) {
            net::blocking::stop(io, *tasks);
            tasks.reset();
        }
        feed.reset();
    }
    bool wait_for_serial(std::int64_t serial) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, 30s, [&] {
            return !applied.empty() && applied.back().serial == serial;
        });
    }
    bool wait_until_asked(int more) {
        const int before = server.asked();
        for (int looks = 0; looks < 3'000 && server.asked() < before + more; ++looks) {
            net::blocking::wait(io.serial_executor(), net::sleep_for(10ms)).value();
        }
        return server.asked() >= before + more;
    }
    std::size_t count() {
        const std::lock_guard lock(mutex);
        return applied.size();
    }

    FakeControlPlane server;
    fakes::TempFolder folder;
    SystemClock clock;
    fakes::SeededRandom random{1};
    net::IoPool io;
    net::WorkPool disk{{.name = "disk", .threads = 1}};
    net::HttpClient http{{}, clock, random};
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<GatewaySnapshot> applied;
    bool refuses = false;
    std::optional<ControlFeed> feed;
    std::optional<net::TaskGroup> tasks;
};

TEST_F(ControlFeedTest, EachNewSnapshotIsAppliedAlsoOneOfALowerSerial) {
    server.say(snapshot(5));
    open();
    EXPECT_FALSE(feed->knows_models());
    follow();
    ASSERT_TRUE(wait_for_serial(5));
    server.say(snapshot(6));
    ASSERT_TRUE(wait_for_serial(6));
    server.say(snapshot(2));
    ASSERT_TRUE(wait_for_serial(2));
    EXPECT_TRUE(feed->knows_models());
    EXPECT_EQ(applied.back().deployments[0].deployment_id, "dp_2");
}

TEST_F(ControlFeedTest, WhatWasTakenServesTheNextStartWithoutTheServer) {
    server.say(snapshot(5));
    open();
    follow();
    ASSERT_TRUE(wait_for_serial(5));
    ASSERT_TRUE(wait_until_asked(2));
    end();
    applied.clear();
    open();
    feed->restore();
    ASSERT_EQ(count(), 1U);
    EXPECT_EQ(applied[0].serial, 5);
    EXPECT_TRUE(feed->knows_models());
}

TEST_F(ControlFeedTest, ASnapshotThatAnotherKeySignedIsNotTaken) {
    server.say(snapshot(5));
    open();
    follow();
    ASSERT_TRUE(wait_for_serial(5));
    server.forge();
    server.say(snapshot(6));
    ASSERT_TRUE(wait_until_asked(3));
    end();
    EXPECT_EQ(count(), 1U);
}

TEST_F(ControlFeedTest, ATamperedSnapshotOnTheDiskIsOfNoUse) {
    server.say(snapshot(5));
    open();
    follow();
    ASSERT_TRUE(wait_for_serial(5));
    ASSERT_TRUE(wait_until_asked(2));
    end();
    server.forge();
    ASSERT_TRUE(write_file_atomically(folder.path() / "snapshot.json", server.envelope()));
    applied.clear();
    open();
    feed->restore();
    EXPECT_EQ(count(), 0U);
    EXPECT_FALSE(feed->knows_models());
}

TEST_F(ControlFeedTest, ASnapshotOfAnotherRegionIsNotTaken) {
    server.say(snapshot(5, "far"));
    open();
    follow();
    ASSERT_TRUE(wait_until_asked(2));
    end();
    EXPECT_EQ(count(), 0U);
}

TEST_F(ControlFeedTest, WhatCannotBeAppliedIsAskedForAgain) {
    refuses = true;
    server.say(snapshot(5));
    open();
    follow();
    ASSERT_TRUE(wait_until_asked(2));
    {
        const std::lock_guard lock(mutex);
        refuses = false;
    }
    EXPECT_TRUE(wait_for_serial(5));
}

TEST_F(ControlFeedTest, ReportsWhoItIsAndHowDeploymentsStandAtEachChange) {
    server.say(snapshot(5));
    open();
    follow();
    const GatewayReport first = server.wait_for_report(0);
    EXPECT_EQ(first.gateway_id, "gw_1");
    EXPECT_EQ(first.region, "local");
    EXPECT_EQ(first.url, "http://gw.example");
    ASSERT_EQ(first.deployments.size(), 1U);
    EXPECT_EQ(first.deployments[0].state, "ready");
    feed->changed();
    server.wait_for_report(1);
}

TEST_F(ControlFeedTest, TheIdOfAGatewayStays) {
    const std::string id = gateway_id_in(folder.path(), random).value();
    EXPECT_TRUE(id.starts_with("gw_"));
    EXPECT_EQ(gateway_id_in(folder.path(), random).value(), id);
    ASSERT_TRUE(write_file_atomically(folder.path() / "gateway.id", "../x\n"));
    EXPECT_FALSE(gateway_id_in(folder.path(), random));
}

}  // namespace
}  // namespace nexa::gateway
