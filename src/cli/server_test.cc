// SPDX-License-Identifier: Apache-2.0
//
// Commands against a real HTTP server that keeps blobs and artifacts in memory.
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/artifact_transfer.h"
#include "cli/cli_world_internal.h"
#include "cli/credentials.h"
#include "core/json.h"
#include "crypto/api_key.h"
#include "fakes/http_host.h"
#include "fakes/proves.h"
#include "net/sse.h"
#include "protocol/artifact_files.h"
#include "protocol/artifact_views.h"
#include "protocol/train_spec.h"
#include "protocol/upload_plan.h"

namespace nexa::cli {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using net::Method;
using net::Request;
using net::Response;
using net::Task;
using testing::HasSubstr;

constexpr std::string_view kJob =
    R"("job_id":"job_1","job_type":"echo","created_at":"","updated_at":"","logs_uri":"","artifacts_uri":"","user_id":"u","payload":{},"attempt":1,"priority":0,"cancel_requested":false,"cost_usd":"0")";

/// What the server holds; one test at a time looks in.
struct Store {
    std::mutex mutex;
    std::map<std::string, std::string> blobs;
    protocol::ArtifactView artifact;
    std::string submitted;
    std::string ending = R"("status":"completed","result":{"said":"hi"})";
    std::vector<std::string> stream_starts;
    int puts = 0;
    std::string links_to;  ///< where a plan sends uploads; empty: here
};

class Api {
public:
    explicit Api(Store& store) : store_(store) {}

    Task<Response> put_blob(Request request) {
        const std::lock_guard lock(store_.mutex);
        ++store_.puts;
        if (sha256(request.body).prefixed() != request.parameter("digest")) {
            co_return Error::data_loss("the bytes are not {}", request.parameter("digest"));
        }
        store_.blobs[request.parameter("digest")] = std::move(request.body);
        co_return Response::empty();
    }
    Task<Response> plan(Request request) {
        const std::lock_guard lock(store_.mutex);
        const std::string& digest = request.parameter("digest");
        if (!store_.links_to.empty()) {
            co_return Response::json(to_json(protocol::UploadPlan{
                .state = "link",
                .url = store_.links_to + "/store/" + digest,
                .headers = {{.name = "x-sum", .value = "1"}}
            }));
        }
        co_return Response::json(to_json(
            protocol::UploadPlan{.state = store_.blobs.contains(digest) ? "stored" : "here"}
        ));
    }
    /// What a bucket would take: with the headers of the plan, and no key of ours.
    Task<Response> put_by_link(Request request) {
        const net::Headers& headers = request.head->headers;
        if (headers.get("x-sum") != "1" || headers.find("authorization") != nullptr) {
            co_return Error::permission_denied("not as the link says");
        }
        co_return co_await put_blob(std::move(request));
    }
    Task<Response> create(Request request) {
        const std::lock_guard lock(store_.mutex);
        CO_TRY(const auto wish, from_json<protocol::ArtifactCreate>(request.body));
        store_.artifact = {
            .artifact_id = "ds_1",
            .kind = wish.kind,
            .name = wish.name,
            .uri = "internal://x",
            .files = wish.files
        };
        co_return Response::json(to_json(store_.artifact), 201);
    }
    Task<Response> artifact(Request) {
        const std::lock_guard lock(store_.mutex);
        co_return Response::json(to_json(store_.artifact));
    }
    Task<Response> file(Request request) {
        const std::lock_guard lock(store_.mutex);
        for (const protocol::InputFile& file : store_.artifact.files) {
            if (file.path == request.parameter("path")) {
                co_return Response::text(store_.blobs[file.digest], "application/octet-stream");
            }
        }
        co_return Error::not_found("no file {}", request.parameter("path"));
    }
    Task<Response> submit(Request request) {
        const std::lock_guard lock(store_.mutex);
        store_.submitted = request.body;
        co_return Response::json(
            R"({"job_id":"job_1","job_type":"echo","status":"pending","created_at":""})", 202
        );
    }
    Task<Response> job(Request request) {
        const std::lock_guard lock(store_.mutex);
        if (request.parameter("job_id") != "job_1") {
            co_return Error::not_found("there is no job {}", request.parameter("job_id"))
                .at("job_id")
                .hint("look at the list");
        }
        // Until the second connection to its events, the job runs.
        const std::string state =
            store_.stream_starts.size() == 1 ? R"("status":"running")" : store_.ending;
        co_return Response::json(fmt::format("{{{},{}}}", kJob, state));
    }
    Task<Response> jobs(Request) {
        co_return Response::json(fmt::format(
            R"({{"object":"list","data":[{{{},"status":"running"}}],"has_more":false}})", kJob
        ));
    }
    Task<Response> events(Request request) {
        const std::lock_guard lock(store_.mutex);
        store_.stream_starts.emplace_back(request.head->headers.get("Last-Event-ID"));
        auto stream = std::make_shared<net::SseStream>();
        const bool first = store_.stream_starts.size() == 1;
        const std::string data = first ? R"({"type":"progress","phase":"p","done":1,"total":2})"
                                       : R"({"status":"completed"})";
        CO_TRY_STATUS(stream->try_send({
            .id = first ? "7" : "8",
            .data = fmt::format(
                R"({{"job_id":"job_1","sequence":1,"at":"","type":"{}","data":{}}})",
                first ? "progress" : "status",
                data
            ),
        }));
        stream->finish();
        co_return net::sse_response(stream);
    }

private:
    Store& store_;
};

class CliServer : public testing::Test {
protected:
    CliServer() {
        world.context.environment["NEXA_API_URL"] = server.url() + "/api";
        world.context.environment["NEXA_API_KEY"] = "good";
    }

    static Task<net::Principal> authenticate(net::AuthRequest request) {
        const std::string_view key = request.head->headers.get("authorization");
        if (key != "Bearer good" && !key.starts_with("Bearer nexa_")) {
            co_return Error::unauthenticated("no valid key");
        }
        co_return net::Principal{.id = "ada", .tenant_id = "t", .details = {}};
    }

    net::Route row(Method method, std::string path, Task<Response> (Api::*handler)(Request)) {
        return {
            .method = method,
            .path = std::move(path),
            .body_bytes_max = method == Method::kGet ? 0U : 64U << 20U,
            .content_types = {},
            .handler = [this,
                        handler](Request request) { return (api.*handler)(std::move(request)); },
        };
    }
    static net::Route open_row(net::Route route) {
        route.auth = net::Auth::kPublic;
        return route;
    }
    std::vector<net::Route> routes() {
        return {
            row(Method::kPut, "/api/blobs/{digest}", &Api::put_blob),
            row(Method::kPost, "/api/blobs/{digest}/plan", &Api::plan),
            open_row(row(Method::kPut, "/store/{digest}", &Api::put_by_link)),
            row(Method::kPost, "/api/artifacts", &Api::create),
            row(Method::kGet, "/api/artifacts/{artifact_id}", &Api::artifact),
            row(Method::kGet, "/api/artifacts/{artifact_id}/files/{path...}", &Api::file),
            row(Method::kPost, "/api/jobs/{job_type}", &Api::submit),
            row(Method::kGet, "/api/jobs", &Api::jobs),
            row(Method::kGet, "/api/jobs/{job_id}", &Api::job),
            row(Method::kGet, "/api/jobs/{job_id}/events", &Api::events),
        };
    }

    fs::path write(const std::string& name, const std::string& text) {
        const fs::path path = world.home.path() / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
        return path;
    }
    static std::string text_of(const fs::path& path) {
        return read_file(path, 1 << 20).value_or("<none>");
    }

    Store store;
    Api api{store};
    CliWorld world;
    fakes::HttpHost server{
        routes(),
        {
            .authenticate = &authenticate,
            .make_request_id = [] { return std::string("req_7"); },
        },
    };
};

TEST_F(CliServer, PushedFolderComesBackByPull) {
    write("data/a.txt", "one");
    write("data/deep/b c.txt", "two");
    write("data/deep/same.txt", "one");
    write("data/empty", "");
    ASSERT_EQ(
        world.run({"artifact", "push", (world.home.path() / "data").native(), "--name", "set"}), 0
    ) << world.err.str();
    EXPECT_EQ(world.out.str(), "ds_1\n");
    EXPECT_EQ(store.puts, 3);  // equal content goes once
    ASSERT_EQ(store.artifact.files.size(), 4U);
    EXPECT_EQ(store.artifact.files[1].path, "deep/b c.txt");

    const fs::path to = world.home.path() / "back";
    ASSERT_EQ(world.run({"artifact", "pull", "ds_1", to.native()}), 0) << world.err.str();
    EXPECT_EQ(text_of(to / "a.txt"), "one");
    EXPECT_EQ(text_of(to / "deep/b c.txt"), "two");
    EXPECT_EQ(text_of(to / "empty"), "");
    EXPECT_FALSE(fs::exists(to / "a.txt.partial"));
    EXPECT_EQ(world.run({"artifact", "pull", "ds_1", to.native()}), 0);  // all there: nothing to do
}

TEST_F(CliServer, PushPutsIntoTheStoreByTheLinksOfThePlanWithoutTheKey) {
    store.links_to = server.url();
    const std::string file = write("a.txt", "one").native();
    ASSERT_EQ(world.run({"artifact", "push", file}), 0) << world.err.str();
    EXPECT_EQ(store.puts, 1);
    EXPECT_EQ(store.blobs.at(sha256("one").prefixed()), "one");
    store.links_to.clear();
    ASSERT_EQ(world.run({"artifact", "push", file}), 0) << world.err.str();
    EXPECT_EQ(store.puts, 1);  // the plan says that it is there
    store.links_to = server.url() + "/nowhere";
    EXPECT_EQ(world.run({"artifact", "push", file}), 10);
}

TEST_F(CliServer, PullRefusesBytesThatAreNotWhatTheirHashSays) {
    ASSERT_EQ(world.run({"artifact", "push", write("a.txt", "one").native()}), 0)
        << world.err.str();
    store.blobs.begin()->second = "two";
    const fs::path to = world.home.path() / "back";
    EXPECT_EQ(world.run({"artifact", "pull", "ds_1", to.native()}), 7);
    EXPECT_TRUE(fs::is_empty(to));
}

TEST_F(CliServer, PullOverwritesNothing) {
    ASSERT_EQ(world.run({"artifact", "push", write("a.txt", "one").native()}), 0);
    write("back/a.txt", "mine");
    EXPECT_EQ(world.run({"artifact", "pull", "ds_1", (world.home.path() / "back").native()}), 6);
    EXPECT_EQ(text_of(world.home.path() / "back/a.txt"), "mine");
}

TEST_F(CliServer, PullStaysInItsFolder) {
    ASSERT_EQ(world.run({"artifact", "push", write("a.txt", "one").native()}), 0);
    for (const char* path : {"../evil", "/tmp/evil", "x/../../evil", ""}) {
        store.artifact.files[0].path = path;
        EXPECT_EQ(world.run({"artifact", "pull", "ds_1", (world.home.path() / "back").native()}), 2)
            << path;
    }
    store.artifact.files[0].path = "link/evil";
    fs::create_directory(world.home.path() / "outside");
    fs::create_directory_symlink(world.home.path() / "outside", world.home.path() / "back/link");
    EXPECT_EQ(world.run({"artifact", "pull", "ds_1", (world.home.path() / "back").native()}), 6);
    EXPECT_TRUE(fs::is_empty(world.home.path() / "outside"));
}

TEST_F(CliServer, PushRefusesWhatIsNoRegularFile) {
    write("data/a.txt", "one");
    fs::create_symlink("/etc/hostname", world.home.path() / "data/link");
    EXPECT_EQ(world.run({"artifact", "push", (world.home.path() / "data").native()}), 2);
    EXPECT_EQ(world.run({"artifact", "push", (world.home.path() / "none").native()}), 5);
    fs::create_directory(world.home.path() / "void");
    EXPECT_EQ(world.run({"artifact", "push", (world.home.path() / "void").native()}), 2);
    EXPECT_EQ(store.puts, 0);
}

TEST_F(CliServer, SubmissionHoldsFlagsOverTheFile) {
    const fs::path file = write("spec.json", R"({"message":"from the file","seconds":1})");
    ASSERT_EQ(
        world.run(
            {"echo",
             "-f",
             file.native(),
             "--message",
             "3",
             "--set",
             "events=2",
             "--priority",
             "-5",
             "--name",
             "n"}
        ),
        0
    ) << world.err.str();
    EXPECT_EQ(world.out.str(), "job_1\n");
    const auto body = parse_json(store.submitted);
    ASSERT_TRUE(body);
    EXPECT_EQ(to_json(*body->find("payload")), R"({"message":"3","seconds":1,"events":2})");
    EXPECT_EQ(body->find("priority")->text, "-5");
    EXPECT_EQ(body->find("name")->text, "n");
}

TEST_F(CliServer, AnExampleOfATrainingFileLoadsWithTypesAndDefaults) {
    NEXA_PROVES("A-62");
    ASSERT_EQ(world.run({"train", "-f", "docs/examples/train.yaml", "--model", "007"}), 0)
        << world.err.str();
    const auto body = parse_json(store.submitted);
    ASSERT_TRUE(body);
    const std::string payload = to_json(*body->find("payload"));
    protocol::TrainSpec expected{.dataset_uri = "ds_123", .model_id = "007"};
    expected.epochs = 5;
    expected.objective = "sft";
    expected.batch_size = 64;
    expected.learning_rate = 1e-3;
    expected.dtype = "bf16";
    expected.checkpoint_every = 100;
    EXPECT_EQ(from_json<protocol::TrainSpec>(payload).value(), expected);
    EXPECT_EQ(
        payload,
        R"({"dataset_uri":"ds_123","model_id":"007","epochs":5,"objective":"sft","batch_size":64,)"
        R"("learning_rate":0.001,"dtype":"bf16","checkpoint_every":100})"
    );
}

TEST_F(CliServer, AWholeSubmissionMayBeYaml) {
    const fs::path file = write(
        "echo.yaml", "priority: 7\npayload:\n  message: yes  # a word, not a switch\n  seconds: 2\n"
    );
    ASSERT_EQ(world.run({"echo", "-f", file.native()}), 0) << world.err.str();
    const auto body = parse_json(store.submitted);
    ASSERT_TRUE(body);
    EXPECT_EQ(body->find("priority")->text, "7");
    EXPECT_EQ(body->find("payload")->find("message")->text, "yes");
    EXPECT_EQ(body->find("payload")->find("seconds")->text, "2");
}

TEST_F(CliServer, WhatIsWrongInAFileIsNamedWithItsLine) {
    const std::string file = (world.home.path() / "spec.yaml").native();
    const auto refusal = [&](const std::string& text) {
        write("spec.yaml", text);
        EXPECT_EQ(world.run({"train", "-f", file}), 2);
        return world.err.str();
    };
    const std::string given = "dataset_uri: ds_1\nmodel_id: m\n";
    EXPECT_THAT(
        refusal(given + "epochs: many\n"), HasSubstr(file + ":3: epochs: must be a number")
    );
    EXPECT_THAT(refusal(given + "epoch: 2\n"), HasSubstr("did you mean 'epochs'?"));
    EXPECT_THAT(
        refusal("payload:\n  epochs: 1\n"), HasSubstr(file + ":1: dataset_uri: is missing")
    );
    EXPECT_THAT(refusal("priority: high\npayload: {}\n"), HasSubstr(file + ":1: priority"));
    EXPECT_THAT(refusal("- 1\n"), HasSubstr("spec.yaml:1: must be an object"));
    EXPECT_THAT(refusal("{\"epochs\": 2"), HasSubstr(file + ": line 1"));
    EXPECT_EQ(store.submitted, "");
}

TEST_F(CliServer, FollowTakesTheStreamUpAgainAndEndsWithTheJob) {
    ASSERT_EQ(world.run({"echo", "--message", "hi", "--follow"}), 0) << world.err.str();
    EXPECT_EQ(world.out.str(), "{\"said\":\"hi\"}\n");
    EXPECT_EQ(world.err.str(), "job job_1\nprogress p 1/2\nstatus completed\n");
    EXPECT_EQ(store.stream_starts, (std::vector<std::string>{"", "7"}));
}

TEST_F(CliServer, PeopleSeeTheResultAsATableAndHowToLeave) {
    world.context.out_is_terminal = true;
    world.context.err_is_terminal = true;
    world.context.environment["NO_COLOR"] = "1";
    store.ending = R"("status":"completed","result":{"dataset_id":"ds_1","scores":{"exact":0.5},)"
                   R"("ci95":[0.4,0.6],"metrics":{"a":1,"b":2},"none":null})";
    ASSERT_EQ(world.run({"echo", "--message", "hi", "--follow"}), 0) << world.err.str();
    EXPECT_EQ(
        world.out.str(),
        "RESULT        VALUE\n"
        "dataset_id    ds_1\n"
        "scores.exact  0.5\n"
        "ci95          [0.4,0.6]\n"
        "metrics       2 of them: see --json\n"
    );
    EXPECT_THAT(world.err.str(), HasSubstr("nexa job cancel job_1"));
}

TEST_F(CliServer, JobsEndingIsTheExitCode) {
    store.ending = R"("status":"cancelled")";
    EXPECT_EQ(world.run({"job", "wait", "job_1"}), 3);
    store.ending = R"("status":"failed","error":{"code":"data_loss","message":"bad hash"})";
    EXPECT_EQ(world.run({"echo", "--message", "hi", "--wait"}), 7);
    EXPECT_NE(world.err.str().find("bad hash"), std::string::npos);
    EXPECT_EQ(world.run({"job", "wait", "job_1", "--json"}), 7);
    EXPECT_TRUE(parse_json(world.out.str()));
    EXPECT_EQ(world.err.str(), "");
    store.ending = R"("status":"running")";
    EXPECT_EQ(world.run({"job", "wait", "job_1", "--timeout", "1"}), 8);
}

TEST_F(CliServer, ErrorsCarryPlaceHintAndRequestId) {
    EXPECT_EQ(world.run({"job", "get", "job_2"}), 5);
    EXPECT_EQ(
        world.err.str(),
        "error: job_id: there is no job job_2\n  hint: look at the list\n  request id: req_7\n"
    );
    world.context.environment["NEXA_API_KEY"] = "bad";
    EXPECT_EQ(world.run({"job", "ls"}), 4);
    EXPECT_EQ(world.err.str().find("bad"), std::string::npos);
}

TEST_F(CliServer, ListIsTabSeparatedInAPipeAndTheApisJsonOnDemand) {
    ASSERT_EQ(world.run({"job", "ls"}), 0) << world.err.str();
    EXPECT_EQ(world.out.str(), "job_1\techo\trunning\t\t\n");
    ASSERT_EQ(world.run({"job", "ls", "--json"}), 0);
    EXPECT_TRUE(world.out.str().starts_with(R"({"object":"list")"));
}

TEST_F(CliServer, LoginStoresAKeyThatWorks) {
    const auto key = crypto::make_api_key(crypto::ApiKeyKind::kUser, world.random);
    world.context.environment.erase("NEXA_API_KEY");
    ASSERT_EQ(world.run({"login"}, std::string(key.secret()) + "\n"), 0) << world.err.str();
    EXPECT_EQ(world.out.str().find(key.secret()), std::string::npos);
    world.context.environment.erase("NEXA_API_KEY");
    EXPECT_EQ(world.run({"job", "ls"}), 0) << world.err.str();
}

TEST_F(CliServer, DoctorSaysWhatToDo) {
    EXPECT_EQ(world.run({"doctor", "--dir", world.home.path().native()}), 1);
    EXPECT_NE(world.out.str().find("FAIL nexad: put the program at"), std::string::npos);
    EXPECT_NE(world.out.str().find("FAIL server"), std::string::npos);  // there is no /readyz here
}

}  // namespace
}  // namespace nexa::cli
