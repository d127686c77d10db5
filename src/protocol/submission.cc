// SPDX-License-Identifier: Apache-2.0
#include "protocol/submission.h"

#include <utility>

#include "core/check.h"
#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::protocol {

namespace {

/// Looks for the one key that tells the forms apart.
struct Probe {
    static constexpr std::string_view kName = "Probe";
    std::optional<JsonText> payload;

    static constexpr auto fields() {
        return std::tuple{field("payload", &Probe::payload, "Only in the wrapped form")};
    }
};

NEXA_JSON_CODEC(Probe);

}  // namespace

NEXA_JSON_CODEC(SubmissionOptions);

Result<Submission> read_submission(std::string_view body) {
    if (body.empty()) {
        body = "{}";
    }
    TRY(const Probe probe, from_json<Probe>(body, {.unknown_keys = UnknownKeys::kIgnore}));
    if (!probe.payload) {
        return Submission{.payload = {std::string(body)}};
    }
    TRY(SubmissionOptions options, from_json<SubmissionOptions>(body));
    auto payload = std::exchange(options.payload, std::nullopt);
    NEXA_CHECK(payload.has_value());  // the probe saw it
    return Submission{
        .wrapped = true, .payload = *std::move(payload), .options = std::move(options)
    };
}

}  // namespace nexa::protocol
