// SPDX-License-Identifier: Apache-2.0
#include "net/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "net/http_error.h"

namespace nexa::net {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Outcome = Router::Outcome;

Task<Response> nothing(Request) {
    co_return Response::empty();
}

Route row(Method method, std::string path, Dialect dialect = Dialect::kApi) {
    return {
        .method = method,
        .path = std::move(path),
        .auth = Auth::kPublic,
        .dialect = dialect,
        .handler = nothing,
    };
}

Router router() {
    return Router({
        row(Method::kGet, "/"),
        row(Method::kGet, "/api/jobs"),
        row(Method::kPost, "/api/jobs"),
        row(Method::kPost, "/api/jobs/"),
        row(Method::kGet, "/api/jobs/{job_id}"),
        row(Method::kDelete, "/api/jobs/{job_id}"),
        row(Method::kGet, "/api/jobs/stats"),
        row(Method::kGet, "/api/jobs/{id}/logs/{stream}"),
        row(Method::kPost, "/v1/chat/completions", Dialect::kOpenai),
        row(Method::kPost, "/v2/models/{name}/infer", Dialect::kV2),
        row(Method::kGet, "/static/{path...}"),
        row(Method::kGet, "/static/app.js"),
    });
}

std::string found(std::string_view path, Method method = Method::kGet) {
    const Router table = router();
    const Router::Match match = table.match(method, path);
    return match.route != nullptr ? match.route->path : "none";
}

TEST(Router, LiteralsWinOverParametersAndParametersOverTails) {
    EXPECT_EQ(found("/"), "/");
    EXPECT_EQ(found("/api/jobs/stats"), "/api/jobs/stats");
    EXPECT_EQ(found("/api/jobs/statsx"), "/api/jobs/{job_id}");
    EXPECT_EQ(found("/static/app.js"), "/static/app.js");
    EXPECT_EQ(found("/static/js/app.js"), "/static/{path...}");
    EXPECT_EQ(found("/api/jobs/stats/logs/out"), "/api/jobs/{id}/logs/{stream}");
    EXPECT_EQ(found("/api/jobs/stats", Method::kDelete), "/api/jobs/{job_id}");
}

TEST(Router, ATrailingSlashIsAnotherPath) {
    EXPECT_EQ(found("/api/jobs/", Method::kPost), "/api/jobs/");
    EXPECT_EQ(found("/api/jobs/j1/"), "none");
    EXPECT_EQ(found("/api/jobs/", Method::kGet), "none");
}

TEST(Router, DecodesParameters) {
    const Router table = router();
    const auto match = table.match(Method::kGet, "/api/jobs/a%20b%2Fc/logs/st%C3%A9");
    ASSERT_EQ(match.outcome, Outcome::kFound);
    EXPECT_THAT(match.parameters, ElementsAre(Pair("id", "a b/c"), Pair("stream", "st\xC3\xA9")));
    const auto tail = table.match(Method::kGet, "/static/a/b%20c");
    EXPECT_THAT(tail.parameters, ElementsAre(Pair("path", "a/b c")));
}

TEST(Router, RefusesBrokenEscapes) {
    const Router table = router();
    for (const char* path :
         {"/api/jobs/%",
          "/api/jobs/%2",
          "/api/jobs/%zz",
          "/api/jobs/%00",
          "/api/jobs/%0a",
          "/api/%7f",
          "jobs",
          ""}) {
        EXPECT_EQ(table.match(Method::kGet, path).outcome, Outcome::kMalformed) << path;
    }
    EXPECT_EQ(found("/api/jobs/%41%6a"), "/api/jobs/{job_id}");
}

TEST(Router, ATailNeverClimbs) {
    for (const char* path :
         {"/static/../secret",
          "/static/a/../../b",
          "/static/%2e%2e/b",
          "/static/..%2fb",
          "/static/a%5c..",
          "/static/."}) {
        EXPECT_EQ(found(path), "none") << path;
    }
}

TEST(Router, AnEmptySegmentIsNoParameter) {
    EXPECT_EQ(found("/api/jobs//logs/out"), "none");
    EXPECT_EQ(found("//api/jobs"), "none");
}

TEST(Router, NamesTheMethodsOfAPathThatLacksThisOne) {
    const Router table = router();
    const auto match = table.match(Method::kPut, "/api/jobs/j1");
    EXPECT_EQ(match.outcome, Outcome::kMethodNotAllowed);
    EXPECT_THAT(match.allowed, ElementsAre(Method::kGet, Method::kDelete));
    EXPECT_EQ(table.match(std::nullopt, "/api/jobs").outcome, Outcome::kMethodNotAllowed);
    EXPECT_EQ(table.match(std::nullopt, "/nowhere").outcome, Outcome::kNotFound);
}

TEST(Router, HeadFindsTheGetRow) {
    EXPECT_EQ(found("/api/jobs", Method::kHead), "/api/jobs");
    EXPECT_EQ(found("/v1/chat/completions", Method::kHead), "none");
}

TEST(Router, AMissSpeaksTheDialectOfItsNeighbors) {
    const Router table = router();
    EXPECT_EQ(table.match(Method::kGet, "/v1/nothing").dialect, Dialect::kOpenai);
    EXPECT_EQ(table.match(Method::kGet, "/v2/models/x").dialect, Dialect::kV2);
    EXPECT_EQ(table.match(Method::kGet, "/elsewhere").dialect, Dialect::kApi);
}

TEST(Router, VeryDeepPathsAreNotFound) {
    std::string path;
    for (int i = 0; i < 1000; ++i) {
        path += "/a";
    }
    EXPECT_EQ(found(path), "none");
}

TEST(RouterDeathTest, BadTablesAbortAtStart) {
    EXPECT_DEATH(Router({row(Method::kGet, "/a"), row(Method::kGet, "/a")}), "check failed");
    EXPECT_DEATH(Router({row(Method::kGet, "/{a}"), row(Method::kGet, "/{b}")}), "check failed");
    EXPECT_DEATH(Router({row(Method::kGet, "a")}), "check failed");
    EXPECT_DEATH(Router({row(Method::kGet, "/{a...}/b")}), "check failed");
    EXPECT_DEATH(Router({row(Method::kGet, "/x{a}")}), "check failed");
    EXPECT_DEATH(Router({row(Method::kGet, "/{}")}), "check failed");
}

TEST(Query, ReadsWhatFormsAndLinksSend) {
    const Query query = parse_query("a=1&b=x+y%26&a=2&c&&d=").value();
    EXPECT_EQ(query.find("a"), "1");
    EXPECT_EQ(query.find("b"), "x y&");
    EXPECT_EQ(query.find("c"), "");
    EXPECT_EQ(query.find("d"), "");
    EXPECT_EQ(query.find("e"), std::nullopt);
}

TEST(Query, RefusesBrokenEscapesAndFloods) {
    EXPECT_EQ(parse_query("a=%g1").error().code, ErrorCode::kMalformed);
    EXPECT_EQ(parse_query("%=1").error().code, ErrorCode::kMalformed);
    std::string flood;
    for (int i = 0; i < 257; ++i) {
        flood += "a&";
    }
    EXPECT_EQ(parse_query(flood).error().code, ErrorCode::kMalformed);
    flood.resize(flood.size() - 2);
    EXPECT_TRUE(parse_query(flood));
}

TEST(PercentEncode, IsUndoneByDecode) {
    const std::string text = "a b/c?d=\xC3\xA9&~.-_%";
    EXPECT_EQ(percent_decode(percent_encode(text)).value(), text);
    EXPECT_EQ(percent_encode("a b/"), "a%20b%2F");
    EXPECT_EQ(without_end_slash("http://a/b//"), "http://a/b");
    EXPECT_EQ(without_end_slash("/"), "");
}

RequestHead head_for_errors() {
    RequestHead head;
    head.path = "/api/jobs/7";
    head.request_id = "req_1";
    return head;
}

nlohmann::json body_of(const Response& response) {
    return nlohmann::json::parse(std::get<std::string>(response.body));
}

TEST(HttpErrors, TheApiDialectIsAProblemDocument) {
    const HttpError error{
        .error = Error::invalid_argument("must be at least 1").at("epochs").hint("give 1 or more")
    };
    const Response response = render(error, Dialect::kApi, head_for_errors());
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(response.headers.get("content-type"), "application/problem+json");
    const nlohmann::json expected = nlohmann::json::parse(R"({
        "type":"urn:nexa:error:invalid_argument","title":"Unprocessable Content","status":422,
        "detail":"must be at least 1","instance":"/api/jobs/7","code":"invalid_argument",
        "param":"epochs","request_id":"req_1","hint":"give 1 or more","retryable":false})");
    EXPECT_EQ(body_of(response), expected);
}

TEST(HttpErrors, TheOpenaiDialectIsItsEnvelope) {
    const HttpError error{.error = Error::unauthenticated("no key")};
    const Response response = render(error, Dialect::kOpenai, head_for_errors());
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.headers.get("www-authenticate"), "Bearer");
    const nlohmann::json expected = nlohmann::json::parse(R"({"error":{"message":"no key",
        "type":"invalid_request_error","param":null,"code":"invalid_api_key"}})");
    EXPECT_EQ(body_of(response), expected);
    const HttpError named{
        .error = Error::not_found("no model").at("model"), .openai_code = "model_not_found"
    };
    EXPECT_EQ(
        body_of(render(named, Dialect::kOpenai, head_for_errors())),
        nlohmann::json::parse(R"({"error":{"message":"no model","type":"invalid_request_error",
            "param":"model","code":"model_not_found"}})")
    );
    EXPECT_EQ(render(error, Dialect::kApi, head_for_errors()).status, 403);
}

TEST(HttpErrors, TheV2DialectIsOneString) {
    const HttpError error{.error = Error::not_found("no model 'x'")};
    const Response response = render(error, Dialect::kV2, head_for_errors());
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(body_of(response), nlohmann::json::parse(R"({"error":"no model 'x'"})"));
    const Response plain = render(error, Dialect::kPlain, head_for_errors());
    EXPECT_EQ(std::get<std::string>(plain.body), "no model 'x'\n");
}

TEST(HttpErrors, BusySaysWhenToComeBack) {
    const Response busy = render(
        {.error = Error::resource_exhausted("slow down"), .retry_after = std::chrono::seconds(7)},
        Dialect::kApi,
        head_for_errors()
    );
    EXPECT_EQ(busy.status, 429);
    EXPECT_EQ(busy.headers.get("retry-after"), "7");
    EXPECT_EQ(busy.headers.get("x-should-retry"), "true");
    const Response down =
        render({.error = Error::unavailable("no database")}, Dialect::kApi, head_for_errors());
    EXPECT_EQ(down.status, 503);
    EXPECT_EQ(down.headers.get("retry-after"), "1");
    const Response full = render(
        {.error = Error::unavailable("cannot write 'x': disk full")},
        Dialect::kApi,
        head_for_errors()
    );
    EXPECT_EQ(full.status, 507);
}

TEST(HttpErrors, RepairsTextThatIsNotUtf8) {
    const HttpError error{.error = Error::malformed("got \xff\xfe")};
    EXPECT_EQ(body_of(render(error, Dialect::kApi, head_for_errors()))["status"], 400);
}

}  // namespace
}  // namespace nexa::net
