// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nexa::runner {

/// Lets text through up to the first stop text, holding back what may become the beginning of one.
/// Pieces of whole characters come out as pieces of whole characters. One stream; not thread-safe.
class StopFilter {
public:
    /// None of `stops` is empty.
    explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

    /// What can be shown now. Of several stop texts in it, the one that begins first counts.
    std::string push(std::string_view text);
    /// The end of the stream: what was held back is text after all.
    std::string finish();

    /// True once a stop text was seen; nothing more comes out then.
    bool stopped() const { return stopped_; }

private:
    std::vector<std::string> stops_;
    std::string held_;
    bool stopped_ = false;
};

}  // namespace nexa::runner
