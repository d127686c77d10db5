// SPDX-License-Identifier: Apache-2.0
#include "api/caller.h"

#include <vector>

#include <gtest/gtest.h>

namespace nexa::api {
namespace {

net::RequestHead head_with(std::initializer_list<net::Header> headers) {
    net::RequestHead head;
    head.peer_address = "10.0.0.9";
    head.headers = net::Headers(headers);
    return head;
}

TEST(Caller, OnlyATrustedProxySaysForWhomItSpeaks) {
    const auto head = head_with({{"X-Forwarded-For", "1.1.1.1, 2.2.2.2, 10.0.0.8"}});
    using List = std::vector<std::string>;
    EXPECT_EQ(client_address(head, List{}), "10.0.0.9");
    EXPECT_EQ(client_address(head, List{"10.0.0.8"}), "10.0.0.9");
    EXPECT_EQ(client_address(head, List{"10.0.0.9"}), "10.0.0.8");
    EXPECT_EQ(client_address(head, List{"10.0.0.9", "10.0.0.8"}), "2.2.2.2");
    EXPECT_EQ(client_address(head_with({}), List{"10.0.0.9"}), "10.0.0.9");
    EXPECT_EQ(
        client_address(head_with({{"X-Forwarded-For", " , ,10.0.0.9"}}), List{"10.0.0.9"}),
        "10.0.0.9"
    );
}

TEST(Caller, TheCookieIsFoundAmongOthers) {
    EXPECT_EQ(session_token_of(head_with({})), std::nullopt);
    EXPECT_EQ(session_token_of(head_with({{"Cookie", "a=b; xnexa_session=1"}})), std::nullopt);
    EXPECT_EQ(session_token_of(head_with({{"cookie", "a=b;nexa_session=x=y ; c=d"}})), "x=y");
    EXPECT_EQ(session_token_of(head_with({{"Cookie", "; ;a"}, {"Cookie", "nexa_session=z"}})), "z");
}

TEST(Caller, ACookieIsSecureWhereTheClientSpeaksTls) {
    const std::string plain = session_cookie(head_with({}), "tok", std::chrono::seconds{60});
    EXPECT_EQ(plain, "nexa_session=tok; Max-Age=60; Path=/; HttpOnly; SameSite=Strict");
    const auto over_tls = head_with({{"X-Forwarded-Proto", "https"}});
    EXPECT_TRUE(session_cookie(over_tls, "tok", std::chrono::seconds{60}).ends_with("; Secure"));
    EXPECT_TRUE(ended_session_cookie(over_tls).starts_with("nexa_session=; Max-Age=0;"));
}

TEST(Caller, AnotherSitesPageIsRefused) {
    EXPECT_TRUE(check_same_origin(head_with({{"Host", "nexa:8000"}})));
    EXPECT_TRUE(check_same_origin(head_with(
        {{"Host", "nexa:8000"}, {"Origin", "http://nexa:8000"}, {"Sec-Fetch-Site", "same-origin"}}
    )));
    for (const char* origin :
         {"http://evil", "http://nexa:8001", "null", "", "http://", "http://nexa:8000.evil"}) {
        const auto head = head_with({{"Host", "nexa:8000"}, {"Origin", origin}});
        EXPECT_FALSE(check_same_origin(head)) << origin;
    }
    for (const char* site : {"cross-site", "same-site", "x"}) {
        const auto head = head_with({{"Host", "nexa:8000"}, {"Sec-Fetch-Site", site}});
        EXPECT_EQ(check_same_origin(head).error().code, ErrorCode::kPermissionDenied) << site;
    }
}

}  // namespace
}  // namespace nexa::api
