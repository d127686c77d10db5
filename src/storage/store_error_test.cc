// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <gtest/gtest.h>

#include "storage/bucket_client_internal.h"

namespace nexa::storage {
namespace {

const Timestamp kNow = parse_rfc3339("2026-01-02T12:00:00Z").value();

net::HttpResponse refusal(int status, const std::string& code, const std::string& more = "") {
    net::HttpResponse response{.status = status};
    response.body = "<Error><Code>" + code + "</Code><Message>m</Message>" + more + "</Error>";
    return response;
}

TEST(StoreError, NamesDecideBeforeStatuses) {
    const auto code = [](int status, const char* name) {
        return store_error(refusal(status, name), "get object 'k'", kNow).code;
    };
    EXPECT_EQ(code(404, "NoSuchKey"), ErrorCode::kNotFound);
    EXPECT_EQ(code(404, "NoSuchBucket"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(412, "PreconditionFailed"), ErrorCode::kConflict);
    EXPECT_EQ(code(409, "ConditionalRequestConflict"), ErrorCode::kUnavailable);
    EXPECT_EQ(code(503, "SlowDown"), ErrorCode::kUnavailable);
    EXPECT_EQ(code(400, "RequestTimeout"), ErrorCode::kUnavailable);
    EXPECT_EQ(code(400, "BadDigest"), ErrorCode::kDataLoss);
    EXPECT_EQ(code(400, "ExpiredToken"), ErrorCode::kPermissionDenied);
    EXPECT_EQ(code(400, "SomethingNew"), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(500, "SomethingNew"), ErrorCode::kUnavailable);
}

TEST(StoreError, SpeaksAlsoOfAnswersThatAreNoXml) {
    for (const int status : {301, 400, 403, 404, 429, 500, 502, 503}) {
        net::HttpResponse page{.status = status};
        page.body = "<html><body>proxy</body>";
        const Error error = store_error(page, "put object 'k'", kNow);
        EXPECT_NE(error.message.find(std::to_string(status)), std::string::npos);
        EXPECT_NE(error.message.find("put object 'k'"), std::string::npos);
        EXPECT_EQ(is_retryable(error.code), status == 429 || status >= 500) << status;
    }
}

TEST(StoreError, ExplainsAClockThatIsWrong) {
    net::HttpResponse skewed = refusal(403, "RequestTimeTooSkewed");
    skewed.headers.add("Date", "Fri, 02 Jan 2026 11:00:00 GMT");
    const Error ahead = store_error(skewed, "get object 'k'", kNow);
    EXPECT_EQ(ahead.code, ErrorCode::kPermissionDenied);
    EXPECT_NE(ahead.message.find("3600 s ahead of"), std::string::npos) << ahead.message;
    EXPECT_NE(ahead.advice.find("NTP"), std::string::npos);
    // HEAD has no body to say so.
    net::HttpResponse head{.status = 403};
    head.headers.add("Date", "Fri, 02 Jan 2026 12:06:00 GMT");
    EXPECT_NE(store_error(head, "x", kNow).message.find("360 s behind"), std::string::npos);
    head.headers.set("Date", "Fri, 02 Jan 2026 12:01:00 GMT");
    EXPECT_EQ(store_error(head, "x", kNow).message.find("clock"), std::string::npos);
}

TEST(StoreError, NamesTheBucketsRegion) {
    const auto body = refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>");
    EXPECT_EQ(store_error(body, "x", kNow).advice, "the bucket lies in region eu-west-1");
    net::HttpResponse moved{.status = 301};
    moved.headers.add("x-amz-bucket-region", "eu-central-1");
    EXPECT_EQ(store_error(moved, "x", kNow).advice, "the bucket lies in region eu-central-1");
}

TEST(HttpDate, IsReadStrictly) {
    EXPECT_EQ(parse_http_date("Fri, 02 Jan 2026 12:00:00 GMT").value(), kNow);
    for (const char* bad :
         {"", "Fri, 02 Jan 2026 12:00:00", "2026-01-02T12:00:00Z", "Fri, 99 Jan"}) {
        EXPECT_FALSE(parse_http_date(bad)) << bad;
    }
}

TEST(Endpoint, IsTakenApartAndHoldsNoDefaultPort) {
    const Endpoint minio = Endpoint::parse("http://minio:9000/").value();
    EXPECT_EQ(minio.scheme + "|" + minio.host + "|" + minio.base, "http|minio:9000|");
    const Endpoint based = Endpoint::parse("https://host:443/s3/").value();
    EXPECT_EQ(based.host + "|" + based.base, "host|/s3");
    for (const char* bad : {"", "host", "ftp://host", "http://", "http://u:p@host", "http://h?x"}) {
        EXPECT_EQ(Endpoint::parse(bad).error().code, ErrorCode::kInvalidArgument) << bad;
    }
}

}  // namespace
}  // namespace nexa::storage
