// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nexa::text {

/// Which rules cut text into pretokens. Merges never cross the cuts.
enum class PretokenPattern : std::uint8_t {
    kGpt2,  ///< '(s|t|re|ve|m|ll|d), then " ?letters", " ?numbers", " ?others", then white space
};

enum class DigitRule : std::uint8_t {
    kGrouped,  ///< as the pattern says
    kSingle,   ///< every number character stands alone, without the space before it
};

struct PretokenizerOptions {
    PretokenPattern pattern = PretokenPattern::kGpt2;
    DigitRule digits = DigitRule::kGrouped;

    friend bool operator==(const PretokenizerOptions&, const PretokenizerOptions&) = default;
};

/// Walks over the pretokens of `text`, a batch at a time, so that memory does not grow with the
/// text. The pretokens cover the text: no byte is lost or seen twice. Bytes that are not UTF-8
/// count as characters that are neither letter, number nor space. Linear in the size of the text.
class PretokenCursor {
public:
    /// `text` must outlive the cursor and what it yields.
    PretokenCursor(std::string_view text, PretokenizerOptions options)
        : text_(text), options_(options) {}

    /// Fills `out` with the next pretokens; how many, 0 at the end.
    std::size_t next(std::span<std::string_view> out);

private:
    std::string_view text_;
    PretokenizerOptions options_;
    std::size_t at_ = 0;
};

}  // namespace nexa::text
