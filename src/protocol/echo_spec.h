// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

#include "core/fields.h"

namespace nexa::protocol {

/// Says a message back: for tests of the path of a job, hidden from the API's documentation.
struct EchoSpec {
    static constexpr std::string_view kName = "EchoSpec";
    std::string message;
    double seconds = 0;
    int events = 1;
    std::int64_t output_bytes = 0;
    std::string fail_with;

    bool operator==(const EchoSpec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("message", &EchoSpec::message, "Text that comes back in the result")
                .required()
                .length(0, 65536),
            field("seconds", &EchoSpec::seconds, "How long the job takes")
                .within(0, 3600)
                .unit("s"),
            field("events", &EchoSpec::events, "Progress events sent on the way").within(0, 10000),
            field("output_bytes", &EchoSpec::output_bytes, "Size of a file left in the outputs")
                .within(0, 1 << 30)
                .unit("bytes"),
            field("fail_with", &EchoSpec::fail_with, "Error code to end with; empty: complete"),
        };
    }
};

}  // namespace nexa::protocol
