// SPDX-License-Identifier: Apache-2.0
#include "net/openapi.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace nexa::net {
namespace {

using Json = nlohmann::json;

Task<Response> nothing(Request) {
    co_return Response::empty();
}

std::vector<Route> rows() {
    const BodyType job{.name = "Job", .schema = [] { return R"({"type":"object"})"; }};
    return {
        {.path = "/health",
         .operation_id = "health_get",
         .auth = Auth::kPublic,
         .response = {.name = "Health"},
         .handler = nothing},
        {.method = Method::kPost,
         .path = "/api/jobs",
         .operation_id = "jobs_create",
         .summary = "Submit a job",
         .tag = "jobs",
         .scope = "jobs:write",
         .body_bytes_max = 1000,
         .request = {.name = "JobSubmission"},
         .response = job,
         .success_status = 201,
         .handler = nothing},
        {.path = "/api/jobs/{job_id}",
         .operation_id = "jobs_get",
         .tag = "jobs",
         .response = job,
         .parameters = {{.name = "fields", .description = "Which", .required = true}},
         .handler = nothing},
        {.method = Method::kPost,
         .path = "/v1/chat/completions",
         .operation_id = "chat",
         .dialect = Dialect::kOpenai,
         .handler = nothing},
        {.path = "/worker/{path...}",
         .operation_id = "worker_get",
         .auth = Auth::kWorker,
         .dialect = Dialect::kV2,
         .handler = nothing},
        {.path = "/hidden", .handler = nothing, .documented = false},
    };
}

Json document() {
    const std::vector<Route> routes = rows();
    return Json::parse(openapi_document({.title = "Nexa", .version = "1.0"}, routes));
}

TEST(OpenApi, HasOneOperationForEachDocumentedRow) {
    const Json json = document();
    EXPECT_EQ(json["openapi"], "3.1.0");
    EXPECT_EQ(json["info"]["title"], "Nexa");
    EXPECT_EQ(json["paths"].size(), 5U);
    EXPECT_FALSE(json["paths"].contains("/hidden"));
    const Json& create = json["paths"]["/api/jobs"]["post"];
    EXPECT_EQ(create["operationId"], "jobs_create");
    EXPECT_EQ(create["tags"], Json::array({"jobs"}));
    EXPECT_EQ(
        create["requestBody"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/JobSubmission"
    );
    EXPECT_EQ(
        create["responses"]["201"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/Job"
    );
    EXPECT_EQ(create["security"], Json::parse(R"([{"api_key":["jobs:write"]}])"));
    EXPECT_EQ(json["components"]["schemas"]["Job"], Json::parse(R"({"type":"object"})"));
}

TEST(OpenApi, NamesPathAndQueryParameters) {
    const Json json = document();
    const Json& parameters = json["paths"]["/api/jobs/{job_id}"]["get"]["parameters"];
    ASSERT_EQ(parameters.size(), 2U);
    EXPECT_EQ(parameters[0]["name"], "job_id");
    EXPECT_EQ(parameters[0]["in"], "path");
    EXPECT_EQ(parameters[1]["in"], "query");
    EXPECT_EQ(parameters[1]["required"], true);
    EXPECT_TRUE(json["paths"].contains("/worker/{path}"));
}

TEST(OpenApi, ErrorsAreInTheRowsDialect) {
    const Json json = document();
    const auto schema = [&json](const char* path, const char* method, const char* type) {
        return json["paths"][path][method]["responses"]["default"]["content"][type]["schema"];
    };
    EXPECT_EQ(
        schema("/api/jobs", "post", "application/problem+json")["$ref"],
        "#/components/schemas/Problem"
    );
    EXPECT_EQ(
        schema("/v1/chat/completions", "post", "application/json")["$ref"],
        "#/components/schemas/OpenAIError"
    );
    EXPECT_TRUE(json["paths"]["/v1/chat/completions"]["post"]["responses"].contains("401"));
    EXPECT_TRUE(json["paths"]["/api/jobs"]["post"]["responses"].contains("403"));
}

TEST(OpenApi, EveryReferenceIsThere) {
    const Json json = document();
    const std::string text = json.dump();
    for (std::size_t at = text.find("#/components/schemas/"); at != std::string::npos;
         at = text.find("#/components/schemas/", at + 1)) {
        const std::size_t start = at + 21;
        const std::string name = text.substr(start, text.find('"', start) - start);
        EXPECT_TRUE(json["components"]["schemas"].contains(name)) << name;
    }
}

TEST(OpenApi, PublicRowsNeedNothingAndWorkersTheirKey) {
    const Json json = document();
    EXPECT_EQ(json["paths"]["/health"]["get"]["security"], Json::array());
    EXPECT_EQ(
        json["paths"]["/worker/{path}"]["get"]["security"], Json::parse(R"([{"worker_key":[]}])")
    );
}

TEST(OpenApi, TheSameRowsGiveTheSameBytes) {
    const std::vector<Route> routes = rows();
    const OpenApiInfo info{.title = "Nexa", .version = "1.0"};
    EXPECT_EQ(openapi_document(info, routes), openapi_document(info, rows()));
}

TEST(OpenApiDeathTest, SharedOrMissingOperationIdsAbort) {
    std::vector<Route> routes = rows();
    routes[1].operation_id = "health_get";
    EXPECT_DEATH(openapi_document({}, routes), "check failed");
    routes[1].operation_id = "";
    EXPECT_DEATH(openapi_document({}, routes), "check failed");
}

}  // namespace
}  // namespace nexa::net
