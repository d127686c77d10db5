// SPDX-License-Identifier: Apache-2.0
#include "storage/sigv4.h"

#include <gtest/gtest.h>

#include "core/sha256.h"
#include "fakes/proves.h"

namespace nexa::storage {
namespace {

// The examples of "Authenticating Requests: Using the Authorization Header" and "Using Query
// Parameters" of Amazon's S3 API reference, with their credentials.
const Timestamp kS3Day = parse_rfc3339("2013-05-24T00:00:00Z").value();
constexpr std::string_view kEmptyHash =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

ObjectCredentials s3_credentials() {
    return {
        .key_id = "AKIAIOSFODNN7EXAMPLE",
        .secret = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    };
}

SignableRequest s3_request(std::string path) {
    return {
        .host = "examplebucket.s3.amazonaws.com",
        .path = std::move(path),
        .payload_hash = std::string(kEmptyHash),
    };
}

std::string authorization_of(SignableRequest request) {
    sign(request, {}, s3_credentials(), kS3Day);
    EXPECT_EQ(request.headers.back().first, "Authorization");
    return request.headers.back().second;
}

bool ends_with(const std::string& text, const std::string& end) {
    return text.ends_with(end);
}

TEST(SigV4, SignsAmazonsExampleOfAGet) {
    SignableRequest request = s3_request("/test.txt");
    request.headers = {{"Range", "bytes=0-9"}};
    EXPECT_EQ(
        authorization_of(request),
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
}

TEST(SigV4, SignsAmazonsExampleOfAPutWithAnOddKey) {
    SignableRequest request = s3_request("/test$file.text");
    request.method = "PUT";
    request.headers = {
        {"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}
    };
    request.payload_hash = nexa::sha256("Welcome to Amazon S3.").hex();
    EXPECT_PRED2(
        ends_with,
        authorization_of(request),
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
}

TEST(SigV4, SignsAmazonsExamplesOfQueries) {
    SignableRequest lifecycle = s3_request("/");
    lifecycle.query = {{"lifecycle", ""}};
    EXPECT_PRED2(
        ends_with,
        authorization_of(lifecycle),
        "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    );
    SignableRequest list = s3_request("/");
    list.query = {{"prefix", "J"}, {"max-keys", "2"}};
    EXPECT_PRED2(
        ends_with,
        authorization_of(list),
        "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    );
}

TEST(SigV4, PresignsAmazonsExample) {
    EXPECT_EQ(
        presigned_query(
            s3_request("/test.txt"), {}, s3_credentials(), kS3Day, std::chrono::hours(24)
        ),
        "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

// The examples of the Signature Version 4 test suite, which are of a service called "service".
std::string suite_signature(SignableRequest request) {
    const ObjectCredentials credentials{
        .key_id = "AKIDEXAMPLE", .secret = Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    };
    request.host = "example.amazonaws.com";
    request.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
    request.payload_hash = kEmptyHash;
    return signature_of(
        request, {.service = "service"}, credentials, parse_rfc3339("2015-08-30T12:36:00Z").value()
    );
}

TEST(SigV4, SignsTheExamplesOfTheTestSuite) {
    EXPECT_EQ(
        suite_signature({}), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    );
    EXPECT_EQ(
        suite_signature({.path = "/\xe1\x88\xb4"}),
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"
    );
    EXPECT_EQ(
        suite_signature({.query = {{"Param2", "value2"}, {"Param1", "value1"}}}),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
    );
}

TEST(SigV4, EscapesEveryOddKeyByteForByte) {
    EXPECT_EQ(escaped_path("/a b+c=d&e"), "/a%20b%2Bc%3Dd%26e");
    EXPECT_EQ(escaped_path("/日本/~x_-."), "/%E6%97%A5%E6%9C%AC/~x_-.");
    EXPECT_EQ(escaped_path("//a//b/"), "//a//b/");
    EXPECT_EQ(escaped_path("/a/./../%41"), "/a/./../%2541");
    EXPECT_EQ(escaped_path("/'()*!,;:@"), "/%27%28%29%2A%21%2C%3B%3A%40");
}

TEST(SigV4, SortsAndEscapesQueries) {
    EXPECT_EQ(canonical_query({}), "");
    EXPECT_EQ(
        canonical_query({{"b", ""}, {"a", "2"}, {"a", "1 +/"}, {"A", "x"}}),
        "A=x&a=1%20%2B%2F&a=2&b="
    );
}

TEST(SigV4, TrimsJoinsAndSortsHeaders) {
    SignableRequest request = s3_request("/");
    request.headers = {{"X-B", "  two   words "}, {"x-a", "1"}, {"X-A", "2"}};
    EXPECT_EQ(
        canonical_request(request),
        "GET\n/\n\nhost:examplebucket.s3.amazonaws.com\nx-a:1,2\nx-b:two words\n\nhost;x-a;x-b\n" +
            std::string(kEmptyHash)
    );
}

TEST(SigV4, TemporaryCredentialsCarryTheirTokenInBothForms) {
    ObjectCredentials credentials = s3_credentials();
    credentials.session_token = Secret("to/ken");
    SignableRequest request = s3_request("/");
    sign(request, {}, credentials, kS3Day);
    const std::pair<std::string, std::string> token{"x-amz-security-token", "to/ken"};
    EXPECT_NE(std::ranges::find(request.headers, token), request.headers.end());
    EXPECT_NE(request.headers.back().second.find("x-amz-security-token"), std::string::npos);
    const std::string query =
        presigned_query(s3_request("/"), {}, credentials, kS3Day, std::chrono::minutes(1));
    EXPECT_NE(query.find("&X-Amz-Security-Token=to%2Fken&"), std::string::npos);
}

TEST(SigV4, SpeaksGooglesDialect) {
    SignableRequest request = s3_request("/o");
    const SigningScope scope{
        .dialect = SigningDialect::kGoogle, .region = "auto", .service = "storage"
    };
    sign(request, scope, s3_credentials(), kS3Day);
    EXPECT_TRUE(request.headers.back().second.starts_with(
        "GOOG4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/auto/storage/goog4_request,"
        "SignedHeaders=host;x-goog-content-sha256;x-goog-date,Signature="
    ));
}

}  // namespace
}  // namespace nexa::storage
