// SPDX-License-Identifier: Apache-2.0
//
// Whatever the bytes and however they are cut: no crash, no read beyond them, and the same request
// from one piece as from many.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/check.h"
#include "net/request_parser_internal.h"
#include "net/router.h"
#include "net/sse.h"

namespace nexa::net {
namespace {

constexpr ParserLimits kLimits{.target_bytes_max = 512, .head_bytes_max = 2048, .headers_max = 16};
constexpr std::uint64_t kBodyBytesMax = 4096;

Task<Response> nothing(Request) {
    co_return Response::empty();
}

const Router& router() {
    static const Router table({
        {.path = "/api/jobs/{job_id}", .auth = Auth::kPublic, .handler = nothing},
        {.path = "/api/jobs/stats", .auth = Auth::kPublic, .handler = nothing},
        {.path = "/static/{path...}", .auth = Auth::kPublic, .handler = nothing},
    });
    return table;
}

struct Outcome {
    int status = 0;  ///< of the refusal; 0 if there was none
    bool whole = false;
    std::string path;
    std::string body;

    bool operator==(const Outcome&) const = default;
};

void read_body(RequestParser& parser, std::string_view bytes, std::size_t step, Outcome& outcome) {
    std::optional<HttpError> error;
    std::string pending;
    while (!parser.body_done() && !error) {
        const std::size_t more = std::min(step, bytes.size());
        pending += bytes.substr(0, more);
        bytes.remove_prefix(more);
        std::size_t taken = 0;
        do {
            taken = pending.empty() || parser.body_done()
                        ? 0
                        : parser.parse_body(pending, outcome.body, kBodyBytesMax, error);
            NEXA_CHECK(taken <= pending.size());
            pending.erase(0, taken);
        } while (taken > 0 && !error);
        if (more == 0) {
            break;
        }
    }
    NEXA_CHECK(outcome.body.size() <= kBodyBytesMax);
    outcome.status = error ? error->status : 0;
    outcome.whole = parser.body_done();
}

Outcome read(std::string_view bytes, std::size_t step) {
    Outcome outcome;
    const RequestParser::Framing framing = RequestParser::frame(bytes, kLimits);
    if (framing.error || !framing.head_bytes) {
        outcome.status = framing.error ? framing.error->status : 0;
        return outcome;
    }
    RequestParser parser(kLimits);
    if (const auto refused = parser.parse_head(bytes.substr(0, *framing.head_bytes))) {
        outcome.status = refused->status;
        return outcome;
    }
    outcome.path = parser.head().path;
    NEXA_CHECK(parser.head().headers.size() <= kLimits.headers_max);
    const Router::Match match = router().match(parser.head().method, outcome.path);
    NEXA_CHECK((match.route != nullptr) == (match.outcome == Router::Outcome::kFound));
    read_body(parser, bytes.substr(*framing.head_bytes), step, outcome);
    return outcome;
}

}  // namespace
}  // namespace nexa::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nexa::net;
    const std::string bytes(data, data + size);
    const Outcome whole = read(bytes, std::max<std::size_t>(1, bytes.size()));
    if (whole.status == 0) {
        NEXA_CHECK(whole == read(bytes, 1));
        NEXA_CHECK(whole == read(bytes, 7));
    } else {
        NEXA_CHECK(whole.status == read(bytes, 1).status);
    }
    SseReader reader(1024);
    static_cast<void>(reader.feed(bytes).has_value());
    return 0;
}
