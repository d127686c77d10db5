// SPDX-License-Identifier: Apache-2.0
#include "cli/quickstart_state.h"

#include "core/file.h"
#include "core/json.h"
#include "core/json_codec.h"

namespace nexa::cli {

NEXA_JSON_CODEC(QuickstartState);

namespace {

constexpr std::string_view kFile = "quickstart.json";
constexpr std::uint64_t kBytesMax = 1 << 20;

}  // namespace

Result<std::optional<QuickstartState>> read_state(const std::filesystem::path& dir) {
    const auto text = read_file(dir / kFile, kBytesMax);
    if (!text) {
        return text.error().code == ErrorCode::kNotFound
                   ? Result<std::optional<QuickstartState>>(std::nullopt)
                   : Result<std::optional<QuickstartState>>(text.error());
    }
    auto state = from_json<QuickstartState>(*text, {.unknown_keys = UnknownKeys::kIgnore});
    if (!state) {
        return std::move(state).error().while_doing((dir / kFile).native());
    }
    return std::optional(*std::move(state));
}

Status write_state(const std::filesystem::path& dir, const QuickstartState& state) {
    return write_file_atomically(dir / kFile, to_json(state) + "\n");
}

}  // namespace nexa::cli
