// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/json.h"
#include "core/json_codec.h"

namespace nexa {
namespace {

using nlohmann::json;

enum class Style : std::uint8_t { kPlain, kFancy };
constexpr auto enum_names(Style) {
    return std::to_array<EnumName<Style>>({{Style::kPlain, "plain"}, {Style::kFancy, "fancy"}});
}

struct Part {
    static constexpr std::string_view kName = "PartOfIt";
    double weight = 0.5;
    std::vector<Part> parts;
    static constexpr auto fields() {
        return std::tuple{
            field("weight", &Part::weight, "How much it counts").within(0, 1),
            field("parts", &Part::parts, "What is in it"),
        };
    }
};

struct Whole {
    std::string name;
    int epochs = 3;
    std::int64_t big = 0;
    std::chrono::milliseconds wait{1500};
    Timestamp at;
    Style style = Style::kFancy;
    std::optional<int> limit;
    std::vector<std::string> tags{"a"};
    std::map<std::string, Part> parts;
    JsonText anything;
    std::string token;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &Whole::name, "Name of it").required().length(1, 20).example("it"),
            field("epochs", &Whole::epochs, "Passes over the data").within(1, 1000),
            field("big", &Whole::big, "Size").unit("bytes"),
            field("wait", &Whole::wait, "Pause").unit("s"),
            field("at", &Whole::at, "When").required(),
            field("style", &Whole::style, "Style"),
            field("limit", &Whole::limit, "Limit").within(1, 9),
            field("tags", &Whole::tags, "Tags").length(0, 4).one_of({"a", "b"}),
            field("parts", &Whole::parts, "Parts"),
            field("anything", &Whole::anything, "Anything"),
            field("token", &Whole::token, "Token").secret(),
        };
    }
};

struct Circle {
    static constexpr std::string_view kType = "circle";
    double radius = 1;
    static constexpr auto fields() {
        return std::tuple{field("radius", &Circle::radius, "Radius").required()};
    }
};

struct Drawing {
    std::vector<std::variant<Circle>> shapes;
    static constexpr auto fields() {
        return std::tuple{field("shapes", &Drawing::shapes, "Shapes")};
    }
};

NEXA_JSON_CODEC(Whole);
NEXA_JSON_CODEC(Part);
NEXA_JSON_CODEC(Drawing);

constexpr const char* kWholeSchema = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Whole",
  "type": "object",
  "properties": {
    "name": {
      "description": "Name of it",
      "type": "string",
      "minLength": 1,
      "maxLength": 20,
      "examples": [
        "it"
      ]
    },
    "epochs": {
      "description": "Passes over the data",
      "type": "integer",
      "minimum": 1,
      "maximum": 1000,
      "default": 3
    },
    "big": {
      "description": "Size, in bytes",
      "type": "integer",
      "default": 0
    },
    "wait": {
      "description": "Pause, in s",
      "type": "number",
      "default": 1.5
    },
    "at": {
      "description": "When",
      "type": "string",
      "format": "date-time"
    },
    "style": {
      "description": "Style",
      "type": "string",
      "enum": [
        "plain",
        "fancy"
      ],
      "default": "fancy"
    },
    "limit": {
      "description": "Limit",
      "anyOf": [
        {
          "type": "integer",
          "minimum": 1,
          "maximum": 9
        },
        {
          "type": "null"
        }
      ]
    },
    "tags": {
      "description": "Tags",
      "type": "array",
      "maxItems": 4,
      "items": {
        "type": "string",
        "enum": [
          "a",
          "b"
        ]
      },
      "default": [
        "a"
      ]
    },
    "parts": {
      "description": "Parts",
      "type": "object",
      "additionalProperties": {
        "$ref": "#/$defs/PartOfIt"
      },
      "default": {}
    },
    "anything": {
      "description": "Anything"
    },
    "token": {
      "description": "Token",
      "type": "string",
      "format": "password"
    }
  },
  "required": [
    "name",
    "at"
  ],
  "additionalProperties": false,
  "$defs": {
    "PartOfIt": {
      "type": "object",
      "properties": {
        "weight": {
          "description": "How much it counts",
          "type": "number",
          "minimum": 0,
          "maximum": 1,
          "default": 0.5
        },
        "parts": {
          "description": "What is in it",
          "type": "array",
          "items": {
            "$ref": "#/$defs/PartOfIt"
          },
          "default": []
        }
      },
      "required": [],
      "additionalProperties": false
    }
  }
}
)";

TEST(JsonSchema, SaysAllThatTheFieldListSays) {
    EXPECT_EQ(json_schema<Whole>(), kWholeSchema);
}

TEST(JsonSchema, AStructInsideItselfIsAmongTheDefinitions) {
    const json schema = json::parse(json_schema<Part>());
    EXPECT_TRUE(schema["$defs"].contains("PartOfIt"));
    EXPECT_EQ(schema["properties"]["parts"]["items"]["$ref"], "#/$defs/PartOfIt");
}

TEST(JsonSchema, OpenApiHasEveryStructOnceWithReferencesToComponents) {
    const std::array types{&type_info<Drawing>(), &type_info<Whole>(), &type_info<Part>()};
    const json schemas = json::parse(openapi_schemas(types));
    std::vector<std::string> names;
    for (const auto& [name, schema] : schemas.items()) {
        names.push_back(name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"Circle", "Drawing", "PartOfIt", "Whole"}));
    EXPECT_EQ(
        schemas["Whole"]["properties"]["parts"]["additionalProperties"]["$ref"],
        "#/components/schemas/PartOfIt"
    );
    const json& shape = schemas["Drawing"]["properties"]["shapes"]["items"];
    EXPECT_EQ(shape["oneOf"][0]["$ref"], "#/components/schemas/Circle");
    EXPECT_EQ(shape["discriminator"]["mapping"]["circle"], "#/components/schemas/Circle");
    EXPECT_EQ(schemas["Circle"]["properties"]["type"]["const"], "circle");
    EXPECT_EQ(schemas["Circle"]["required"], (json{"type", "radius"}));
}

}  // namespace
}  // namespace nexa
