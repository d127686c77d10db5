// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_endpoints.h"

#include <gtest/gtest.h>

#include "net/http_error.h"

namespace nexa::gateway {
namespace {

net::HttpError refusal(Error error) {
    return openai_error(std::move(error));
}

TEST(OpenaiError, WhatIsWrongWithTheRequestIsA400WithItsPlace) {
    for (const char* place : {"messages", "prompt"}) {
        const net::HttpError error = refusal(Error::invalid_argument("too long").at(place));
        EXPECT_EQ(error.status, 400);
        EXPECT_EQ(error.openai_code, "context_length_exceeded");
        EXPECT_EQ(error.error.param, place);
    }
    EXPECT_EQ(refusal(Error::invalid_argument("no").at("top_p")).openai_code, "invalid_value");
    EXPECT_EQ(refusal(Error::malformed("no")).status, 400);
}

TEST(OpenaiError, OfEverythingElseTheCodeDecides) {
    const std::pair<Error, int> rows[] = {
        {Error::not_found("no model"), 404},
        {Error::resource_exhausted("too many wait"), 429},
        {Error::unavailable("its runner has gone"), 503},
        {Error::deadline_exceeded("silence"), 504},
        {Error::internal("our bug"), 500},
    };
    for (const auto& [error, status] : rows) {
        const net::Response response =
            net::render(refusal(error), net::Dialect::kOpenai, net::RequestHead{});
        EXPECT_EQ(response.status, status);
        EXPECT_EQ(response.headers.find("retry-after") != nullptr, status == 429 || status == 503);
    }
    EXPECT_EQ(refusal(Error::not_found("no model")).openai_code, "model_not_found");
}

}  // namespace
}  // namespace nexa::gateway
