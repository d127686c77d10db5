// SPDX-License-Identifier: Apache-2.0
#include "text/bpe_tokenizer.h"

#include <algorithm>
#include <cstdint>

#include "core/check.h"
#include "text/bpe_trainer.h"

// The first half is a corpus, all of it a text: what is encoded comes back, cached or not.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nexa::text;
    const std::string text(data, data + size);
    const std::vector<std::string_view> corpus{std::string_view(text).substr(0, size / 2)};
    const DigitRule digits = size % 2 == 0 ? DigitRule::kGrouped : DigitRule::kSingle;
    const auto tokenizer = train_bpe(
        corpus,
        {.vocabulary_size = 400,
         .special_tokens = {"<|end|>", "ab"},
         .pretokenizer = {.digits = digits}}
    );
    NEXA_CHECK(tokenizer.has_value());
    EncodeCache cache(16);
    for (const SpecialTokens special : {SpecialTokens::kMatch, SpecialTokens::kPlainText}) {
        const std::vector<std::int32_t> ids = tokenizer->encode(text, special);
        std::vector<std::int32_t> cached;
        tokenizer->encode_to(text, special, cache, cached);
        NEXA_CHECK(ids == cached);
        NEXA_CHECK(tokenizer->decode(ids).value() == text);
    }
    return 0;
}
