// SPDX-License-Identifier: Apache-2.0
//
// Whatever the body: no crash, a refusal is a 400 with words, and what is taken is a request that a
// runner takes too, and reads as it was meant.
#include "gateway/text_request.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nexa;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    for (const auto kind : {gateway::TextKind::kChat, gateway::TextKind::kCompletion}) {
        auto parsed = gateway::parse_text_request(kind, body, 1);
        if (!parsed) {
            NEXA_CHECK(parsed.error().status == 400);
            NEXA_CHECK(!parsed.error().error.message.empty());
            continue;
        }
        parsed->generate.id = "g1";
        const protocol::RunnerAsk ask = std::move(parsed->generate);
        const auto back = protocol::read_ask(protocol::to_frame(ask));
        NEXA_CHECK(back && *back == ask);
    }
    return 0;
}
