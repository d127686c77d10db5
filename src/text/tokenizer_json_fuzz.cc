// SPDX-License-Identifier: Apache-2.0
#include "text/tokenizer_json.h"

#include <cstdint>

#include "core/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nexa::text;
    const std::string json(data, data + size);
    const auto tokenizer = read_tokenizer_json(json);
    if (!tokenizer) {
        NEXA_CHECK(!tokenizer.error().message.empty());
        return 0;
    }
    const auto again = read_tokenizer_json(write_tokenizer_json(*tokenizer));
    NEXA_CHECK(again.has_value());
    NEXA_CHECK(again->vocabulary() == tokenizer->vocabulary());
    return 0;
}
