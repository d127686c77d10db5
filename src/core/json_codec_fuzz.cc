// SPDX-License-Identifier: Apache-2.0
#include "core/json_codec.h"

#include <cstdint>

#include "core/json.h"

namespace nexa {

namespace {

enum class Color : std::uint8_t { kRed, kGreen };
constexpr auto enum_names(Color) {
    return std::to_array<EnumName<Color>>({{Color::kRed, "red"}, {Color::kGreen, "green"}});
}

struct Leaf {
    static constexpr std::string_view kType = "leaf";
    int number = 1;
    bool operator==(const Leaf&) const = default;
    static constexpr auto fields() {
        return std::tuple{field("number", &Leaf::number, "A number").within(-5, 5)};
    }
};

struct Tree {
    static constexpr std::string_view kType = "tree";
    std::string text;
    double real = 0;
    float narrow = 0;
    std::uint64_t big = 0;
    std::chrono::milliseconds wait{};
    Timestamp at;
    Color color = Color::kRed;
    std::optional<std::string> maybe;
    std::map<std::string, std::vector<Tree>> children;
    std::vector<std::variant<Leaf>> leaves;
    JsonText opaque;
    bool operator==(const Tree&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("text", &Tree::text, "Text").alias("t").length(0, 9),
            field("real", &Tree::real, "Real"),
            field("narrow", &Tree::narrow, "Narrow"),
            field("big", &Tree::big, "Big"),
            field("wait", &Tree::wait, "Wait").unit("s"),
            field("at", &Tree::at, "At"),
            field("color", &Tree::color, "Color"),
            field("maybe", &Tree::maybe, "Maybe"),
            field("children", &Tree::children, "Children"),
            field("leaves", &Tree::leaves, "Leaves"),
            field("opaque", &Tree::opaque, "Opaque"),
        };
    }
};

}  // namespace

NEXA_JSON_CODEC(Tree);

}  // namespace nexa

/// Whatever is accepted is written and read back as the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto tree =
        nexa::from_json<nexa::Tree>(text, {.unknown_keys = nexa::UnknownKeys::kIgnore});
    if (tree) {
        const auto again = nexa::from_json<nexa::Tree>(nexa::to_json(*tree));
        NEXA_CHECK(again && *again == *tree);
    }
    static_cast<void>(nexa::from_json<std::vector<nexa::Tree>>(text));
    if (const auto node = nexa::parse_json(text)) {
        NEXA_CHECK(nexa::parse_json(nexa::to_json(*node)).has_value());
    }
    return 0;
}
