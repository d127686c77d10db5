// SPDX-License-Identifier: Apache-2.0
#include "core/json_codec.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/json_writer.h"

namespace nexa {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Phase : std::uint8_t { kWarmup, kMain, kCooldown };
constexpr auto enum_names(Phase) {
    return std::to_array<EnumName<Phase>>({
        {Phase::kWarmup, "warmup"},
        {Phase::kMain, "main"},
        {Phase::kCooldown, "cooldown"},
    });
}

class ThingId {
public:
    static Result<ThingId> parse(std::string_view text) {
        if (!text.starts_with("th_")) {
            return Error::invalid_argument("'{}' is no thing id", text).hint("it starts with th_");
        }
        ThingId id;
        id.text_ = text;
        return id;
    }
    const std::string& text() const { return text_; }
    bool operator==(const ThingId&) const = default;

private:
    std::string text_;
};

struct Row {
    std::string text;
    std::optional<double> weight;

    bool operator==(const Row&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("text", &Row::text, "What it says").required().length(1, 5),
            field("weight", &Row::weight, "How much it counts").within(0, 1).null_when_empty(),
        };
    }
};

struct Local {
    static constexpr std::string_view kType = "local";
    std::string path;

    bool operator==(const Local&) const = default;
    static constexpr auto fields() {
        return std::tuple{field("path", &Local::path, "Where it lies").required()};
    }
};

struct Remote {
    static constexpr std::string_view kType = "remote";
    std::string url;
    int port = 443;

    bool operator==(const Remote&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("url", &Remote::url, "Where it is served").required(),
            field("port", &Remote::port, "On which port").within(1, 65535),
        };
    }
};

struct Spec {
    std::string name;
    bool flag = false;
    std::int8_t tiny = 0;
    std::int64_t big = 0;
    std::uint64_t huge = 0;
    int epochs = 3;
    double rate = 3e-4;
    float narrow = 0.5F;
    seconds timeout{60};
    milliseconds delay{250};
    microseconds tick{0};
    Timestamp at;
    ThingId thing;
    Bytes bytes{};
    Phase phase = Phase::kMain;
    std::optional<int> limit;
    std::vector<Row> rows;
    std::vector<std::vector<int>> grid;
    std::map<std::string, std::string> labels;
    std::map<std::string, Row> named;
    std::variant<Local, Remote> source;
    JsonText payload;
    std::string key;
    std::string mode = "fast";
    std::vector<Phase> phases;

    bool operator==(const Spec&) const = default;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &Spec::name, "Name").required().alias("title"),
            field("flag", &Spec::flag, "Flag"),
            field("tiny", &Spec::tiny, "Tiny"),
            field("big", &Spec::big, "Big"),
            field("huge", &Spec::huge, "Huge"),
            field("epochs", &Spec::epochs, "Passes over the data").within(1, 1000).example(5),
            field("rate", &Spec::rate, "Peak of the schedule").within(0, 1),
            field("narrow", &Spec::narrow, "Narrow"),
            field("timeout", &Spec::timeout, "Time limit").within(seconds(1), hours(1)),
            field("delay", &Spec::delay, "Pause").unit("s"),
            field("tick", &Spec::tick, "Tick").unit("ms"),
            field("at", &Spec::at, "When"),
            field("thing", &Spec::thing, "Which"),
            field("bytes", &Spec::bytes, "Size").within(0, 1 << 20).unit("bytes"),
            field("phase", &Spec::phase, "Phase"),
            field("limit", &Spec::limit, "Limit").within(1, 9),
            field("rows", &Spec::rows, "Rows").length(0, 3),
            field("grid", &Spec::grid, "Grid").within(0, 9),
            field("labels", &Spec::labels, "Labels"),
            field("named", &Spec::named, "Named rows"),
            field("source", &Spec::source, "Source"),
            field("payload", &Spec::payload, "Payload"),
            field("key", &Spec::key, "Key").secret().length(0, 8),
            field("mode", &Spec::mode, "Mode").one_of({"fast", "careful"}),
            field("phases", &Spec::phases, "Phases"),
        };
    }
};

struct Span {
    int first = 0;
    int last = 0;

    Status validate() const {
        if (first > last) {
            return Error::invalid_argument("must not be after last, {}", last).at("first");
        }
        return {};
    }
    static constexpr auto fields() {
        return std::tuple{
            field("first", &Span::first, "First"), field("last", &Span::last, "Last")
        };
    }
};

struct Spans {
    std::vector<Span> spans;
    std::optional<Span> outer;
    static constexpr auto fields() {
        return std::tuple{
            field("spans", &Spans::spans, "Spans"),
            field("outer", &Spans::outer, "Outer"),
        };
    }
};

NEXA_JSON_CODEC(Spec);
NEXA_JSON_CODEC(Row);
NEXA_JSON_CODEC(Spans);

/// A spec that is valid but for `member`.
Result<Spec> read(const std::string& member) {
    return from_json<Spec>(R"({"name": "n", )" + member + "}");
}

std::string refusal(const std::string& member) {
    const auto spec = read(member);
    if (spec) {
        return "accepted";
    }
    EXPECT_EQ(spec.error().code, ErrorCode::kInvalidArgument);
    return spec.error().to_string();
}

TEST(JsonCodec, LeavesWhatIsNotGivenAtItsDefault) {
    const auto spec = from_json<Spec>(R"({"name": "n"})");
    ASSERT_TRUE(spec);
    Spec expected;
    expected.name = "n";
    EXPECT_EQ(*spec, expected);
}

TEST(JsonCodec, ReadsEveryKindOfMember) {
    const auto spec = from_json<Spec>(R"({
        "name": "ä", "flag": true, "tiny": -128, "big": -9223372036854775808,
        "huge": 18446744073709551615, "epochs": 3.0, "rate": 1e-3, "narrow": 0.1, "timeout": 90,
        "delay": 0.25, "tick": 1.5, "at": "2025-11-20T19:00:00.123456Z", "thing": "th_1",
        "bytes": 7, "phase": "cooldown", "limit": 9, "rows": [{"text": "a", "weight": null}],
        "grid": [[1, 2], []], "labels": {"k": "v"}, "named": {"x": {"text": "y"}},
        "source": {"type": "remote", "url": "u"}, "payload": {"b": 1.50, "a": [ ]}, "key": "s",
        "mode": "careful", "phases": ["main", "warmup"]})");
    ASSERT_TRUE(spec) << spec.error().to_string();
    EXPECT_EQ(spec->big, std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(spec->huge, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(spec->epochs, 3);
    EXPECT_EQ(spec->narrow, 0.1F);
    EXPECT_EQ(spec->timeout, seconds(90));
    EXPECT_EQ(spec->delay, milliseconds(250));
    EXPECT_EQ(spec->tick, microseconds(1500));
    EXPECT_EQ(spec->at.time_since_epoch().count() % 1'000'000, 123456);
    EXPECT_EQ(spec->thing.text(), "th_1");
    EXPECT_EQ(spec->bytes, Bytes(7));
    EXPECT_EQ(spec->phase, Phase::kCooldown);
    EXPECT_EQ(spec->grid[0][1], 2);
    EXPECT_EQ(spec->named.at("x").text, "y");
    EXPECT_EQ(std::get<Remote>(spec->source).port, 443);
    EXPECT_EQ(spec->payload.text, R"({"b": 1.50, "a": [ ]})");
    EXPECT_EQ(spec->phases, (std::vector{Phase::kMain, Phase::kWarmup}));
}

TEST(JsonCodec, WritesInTheOrderOfTheListAndLeavesEmptyOnesOut) {
    EXPECT_EQ(to_json(Row{"a", 0.5}), R"({"text":"a","weight":0.5})");
    EXPECT_EQ(to_json(Row{"a", std::nullopt}), R"({"text":"a","weight":null})");
    EXPECT_EQ(
        to_json(std::vector<Row>{{"a", 1}, {"b", 2}}),
        R"([{"text":"a","weight":1},{"text":"b","weight":2}])"
    );
    Spec spec;
    spec.payload.text = R"({"b": 1.50})";
    spec.delay = milliseconds(-1050);
    const std::string text = to_json(spec);
    EXPECT_EQ(text.find("limit"), std::string::npos);
    EXPECT_EQ(text.find("thing"), std::string::npos);
    EXPECT_NE(text.find(R"("payload":{"b": 1.50})"), std::string::npos);
    EXPECT_NE(text.find(R"("delay":-1.05,)"), std::string::npos);
    EXPECT_NE(text.find(R"("source":{"type":"local","path":""})"), std::string::npos);
}

TEST(JsonCodec, NeverWritesWhatIsNoJson) {
    Spec spec;
    spec.name = "a\xFF\n\"\x01";
    spec.rate = std::numeric_limits<double>::quiet_NaN();
    spec.narrow = std::numeric_limits<float>::infinity();
    const std::string text = to_json(spec);
    EXPECT_NE(text.find(R"("name":"a�\n\"\u0001")"), std::string::npos);
    EXPECT_NE(text.find(R"("rate":null,"narrow":null)"), std::string::npos);
    EXPECT_TRUE(parse_json(text));
}

TEST(JsonCodec, RefusesWrongTypesByPath) {
    EXPECT_EQ(refusal(R"("flag": 1)"), "flag: must be true or false, is 1");
    EXPECT_EQ(refusal(R"("epochs": "3")"), "epochs: must be a whole number, is '3'");
    EXPECT_EQ(refusal(R"("epochs": null)"), "epochs: must be a whole number, is null");
    EXPECT_EQ(refusal(R"("rate": true)"), "rate: must be a number, is true");
    EXPECT_EQ(
        refusal(R"("title": 3)"),
        "title: is given twice, by name and alias, and differs "
        "(give only 'name')"
    );
    EXPECT_EQ(refusal(R"("rows": {})"), "rows: must be an array, is an object");
    EXPECT_EQ(refusal(R"("rows": [{"text": "a"}, 7])"), "rows[1]: must be an object, is 7");
    EXPECT_EQ(refusal(R"("rows": [{"text": 7}])"), "rows[0].text: must be a string, is 7");
    EXPECT_EQ(refusal(R"("labels": {"a b": []})"), "labels.a b: must be a string, is an array");
    EXPECT_EQ(refusal(R"("grid": [[1], [2, "x"]])"), "grid[1][1]: must be a whole number, is 'x'");
    EXPECT_EQ(from_json<Spec>("[]").error().to_string(), "must be an object, is an array");
}

TEST(JsonCodec, RefusesTheFirstValueBeyondEachLimit) {
    EXPECT_EQ(refusal(R"("epochs": 1000)"), "accepted");
    EXPECT_EQ(refusal(R"("epochs": 1001)"), "epochs: must be from 1 to 1000, is 1001");
    EXPECT_EQ(refusal(R"("epochs": 0)"), "epochs: must be from 1 to 1000, is 0");
    EXPECT_EQ(refusal(R"("epochs": 3.5)"), "epochs: must be a whole number, is 3.5");
    EXPECT_EQ(refusal(R"("epochs": 1e30)"), "epochs: must be from 1 to 1000, is 1e30");
    EXPECT_EQ(refusal(R"("tiny": 127)"), "accepted");
    EXPECT_EQ(refusal(R"("tiny": 128)"), "tiny: must be from -128 to 127, is 128");
    EXPECT_EQ(
        refusal(R"("huge": 18446744073709551616)"),
        "huge: must be from 0 to 18446744073709551615, is 18446744073709551616"
    );
    EXPECT_EQ(refusal(R"("huge": -1)"), "huge: must be from 0 to 18446744073709551615, is -1");
    EXPECT_EQ(refusal(R"("rate": 1)"), "accepted");
    EXPECT_EQ(refusal(R"("rate": 1.0000001)"), "rate: must be from 0 to 1, is 1.0000001");
    EXPECT_EQ(
        refusal(R"("rate": 1e999)"), "rate: must be a number that a double can hold, is 1e999"
    );
    EXPECT_EQ(refusal(R"("rate": 1e-999)"), "accepted");
    EXPECT_EQ(
        refusal(R"("narrow": 1e39)"), "narrow: must be a number that a double can hold, is 1e39"
    );
    EXPECT_EQ(refusal(R"("grid": [[10]])"), "grid[0][0]: must be from 0 to 9, is 10");
    EXPECT_EQ(refusal(R"("limit": 10)"), "limit: must be from 1 to 9, is 10");
    EXPECT_EQ(
        refusal(R"("source": {"type": "remote", "url": "u", "port": 0})"),
        "source.port: must be from 1 to 65535, is 0"
    );
}

TEST(JsonCodec, RefusesDurationsThatDoNotFit) {
    EXPECT_EQ(refusal(R"("timeout": 3600)"), "accepted");
    EXPECT_EQ(refusal(R"("timeout": 3601)"), "timeout: must be from 1 to 3600 s, is 3601");
    EXPECT_EQ(
        refusal(R"("timeout": 1.5)"),
        "timeout: must be a number of s without parts finer than 1 s, is 1.5"
    );
    EXPECT_EQ(
        refusal(R"("delay": 0.0001)"),
        "delay: must be a number of s without parts finer than 1 ms, is 0.0001"
    );
    EXPECT_EQ(refusal(R"("delay": 1e30)"), "delay: must be a smaller number of s, is 1e30");
    EXPECT_EQ(refusal(R"("delay": "1s")"), "delay: must be a number of s, is '1s'");
}

TEST(JsonCodec, RefusesLengthsOutsideTheirRange) {
    EXPECT_EQ(refusal(R"("rows": [{"text": "äöüäö"}])"), "accepted");
    EXPECT_EQ(
        refusal(R"("rows": [{"text": "äöüäöü"}])"),
        "rows[0].text: must have 1 to 5 characters, has 6"
    );
    EXPECT_EQ(
        refusal(R"("rows": [{"text": ""}])"), "rows[0].text: must have 1 to 5 characters, has 0"
    );
    EXPECT_EQ(refusal(R"("rows": [1, 2, 3, 4])"), "rows: must have 0 to 3 entries, has 4");
}

TEST(JsonCodec, ProposesTheNameThatWasMeant) {
    EXPECT_EQ(refusal(R"("epoch": 3)"), "epoch: no such field in Spec (did you mean 'epochs'?)");
    EXPECT_EQ(refusal(R"("zzz": 3)"), "zzz: no such field in Spec");
    EXPECT_EQ(
        refusal(R"("rows": [{"txet": "a"}])"),
        "rows[0].txet: no such field in Row (did you mean 'text'?)"
    );
    EXPECT_EQ(
        refusal(R"("phase": "mian")"),
        "phase: must be one of warmup, main, cooldown, is 'mian' (did you mean 'main'?)"
    );
    EXPECT_EQ(
        refusal(R"("mode": "carefull")"),
        "mode: must be one of fast, careful, is 'carefull' (did you mean 'careful'?)"
    );
    EXPECT_EQ(
        refusal(R"("source": {"type": "remot", "url": "u"})"),
        "source.type: must be one of local, remote, is 'remot' (did you mean 'remote'?)"
    );
    EXPECT_EQ(
        refusal(R"("source": {"url": "u"})"), "source.type: is missing (one of local, remote)"
    );
    EXPECT_EQ(refusal(R"("thing": "x")"), "thing: 'x' is no thing id (it starts with th_)");
}

TEST(JsonCodec, UnknownFieldsOfANewerPeerCanBeIgnored) {
    const DecodeOptions lenient{.unknown_keys = UnknownKeys::kIgnore};
    const auto row = from_json<Row>(R"({"text": "a", "new": {"x": 1}})", lenient);
    ASSERT_TRUE(row);
    EXPECT_EQ(row->text, "a");
    EXPECT_FALSE(from_json<Row>(R"({"text": "a", "new": 1})"));
}

TEST(JsonCodec, TakesAnAliasAndRefusesTwoDifferentValues) {
    EXPECT_EQ(from_json<Spec>(R"({"title": "t"})")->name, "t");
    EXPECT_EQ(from_json<Spec>(R"({"title": "t", "name": "t"})")->name, "t");
    EXPECT_FALSE(from_json<Spec>(R"({"title": "t", "name": "n"})"));
    Spec spec;
    spec.name = "t";
    EXPECT_TRUE(to_json(spec).starts_with(R"({"name":"t",)"));
}

TEST(JsonCodec, NamesWhatIsMissing) {
    EXPECT_EQ(from_json<Spec>("{}").error().to_string(), "name: is missing");
    EXPECT_EQ(refusal(R"("named": {"x": {}})"), "named.x.text: is missing");
}

TEST(JsonCodec, ReportsAllErrorsInTheOrderOfTheDocumentButNotWithoutEnd) {
    std::vector<Error> errors;
    const DecodeOptions options{.all_errors = &errors};
    const auto spec = from_json<Spec>(R"({"rate": 2, "epochs": 0, "x": 1})", options);
    ASSERT_FALSE(spec);
    ASSERT_EQ(errors.size(), 4u);
    EXPECT_EQ(errors[0].param, "rate");
    EXPECT_EQ(errors[1].param, "epochs");
    EXPECT_EQ(errors[2].param, "x");
    EXPECT_EQ(errors[3].param, "name");
    EXPECT_EQ(spec.error().to_string(), errors[0].to_string());

    std::string many = R"({"name": "n", "phases": [)";
    for (int i = 0; i < 1000; ++i) {
        many += i == 0 ? "0" : ",0";
    }
    ASSERT_FALSE(from_json<Spec>(many + "]}", options));
    EXPECT_EQ(errors.size(), DecodeOptions::kErrorsMax);
}

TEST(JsonCodec, NeverShowsTheValueOfASecret) {
    for (const char* member : {R"("key": "topsecret-and-too-long")", R"("key": 424242)"}) {
        const std::string text = refusal(member);
        EXPECT_TRUE(text.starts_with("key: must")) << text;
        EXPECT_EQ(text.find("topsecret"), std::string::npos);
        EXPECT_EQ(text.find("424242"), std::string::npos);
    }
}

TEST(JsonCodec, MasksSecretsWhenAsked) {
    Spec spec;
    spec.key = "topsecret";
    EXPECT_NE(to_json(spec).find("topsecret"), std::string::npos);
    const std::string masked = encode(&spec, type_info<Spec>(), SecretFields::kMask);
    EXPECT_NE(masked.find(R"("key":"[secret]")"), std::string::npos);
    EXPECT_EQ(masked.find("topsecret"), std::string::npos);
}

TEST(JsonCodec, DigestsHaveATextForm) {
    using Form = TextForm<Sha256Digest>;
    const Sha256Digest digest = sha256("abc");
    EXPECT_TRUE(Form::text(digest).starts_with("sha256:ba7816bf"));
    EXPECT_EQ(Form::parse(Form::text(digest)).value(), digest);
    EXPECT_EQ(Form::text(Sha256Digest{}), "");
}

TEST(JsonCodec, LongAndUncleanInputIsCutInMessages) {
    const std::string text = refusal(R"("phase": ")" + std::string(10'000, 'x') + R"(\n")");
    EXPECT_LT(text.size(), 200u);
    EXPECT_LT(refusal(R"(")" + std::string(10'000, 'k') + R"(": 1)").size(), 200u);
}

TEST(JsonCodec, AsksTheStructWhatOneFieldCannotSay) {
    EXPECT_TRUE(from_json<Spans>(R"({"spans": [{"first": 1, "last": 1}]})"));
    const auto spans = from_json<Spans>(R"({"spans": [{}, {"first": 2, "last": 1}]})");
    ASSERT_FALSE(spans);
    EXPECT_EQ(spans.error().to_string(), "spans[1].first: must not be after last, 1");
    // Not asked while its fields are wrong.
    EXPECT_EQ(
        from_json<Spans>(R"({"outer": {"first": 2, "last": "x"}})").error().param, "outer.last"
    );
}

TEST(JsonCodec, DepthAndSizeLimitsApply) {
    EXPECT_EQ(
        refusal(R"("payload": )" + std::string(64, '[') + std::string(64, ']')).substr(0, 7),
        "payload"
    );
    EXPECT_FALSE(from_json<Row>(R"({"text": "a"})", {.limits = {.bytes_max = 12}}));
    EXPECT_TRUE(from_json<Row>(R"({"text": "a"})", {.limits = {.bytes_max = 13}}));
}

std::string random_text(std::mt19937_64& random) {
    static const std::vector<std::string> kPieces{
        "a", "Z", "\"", "\\", "\n", "ä", "😀", std::string(1, '\0')
    };
    std::string text;
    for (std::uint64_t i = random() % 5; i > 0; --i) {
        text += kPieces[random() % kPieces.size()];
    }
    return text;
}

Row random_row(std::mt19937_64& random) {
    Row row{random() % 2 == 0 ? "ä😀\n" : "r", std::nullopt};
    if (random() % 2 == 0) {
        row.weight = static_cast<double>(random()) / 18446744073709551616.0;
    }
    return row;
}

double random_double(std::mt19937_64& random) {
    const double value = std::bit_cast<double>(random());
    return std::isfinite(value) ? value : -0.0;
}

Spec random_spec(std::mt19937_64& random) {
    Spec spec;
    spec.name = random_text(random);
    spec.flag = random() % 2 == 0;
    spec.tiny = static_cast<std::int8_t>(random());
    spec.big = static_cast<std::int64_t>(random());
    spec.huge = random();
    spec.epochs = static_cast<int>(1 + random() % 1000);
    spec.rate = static_cast<double>(random()) / 18446744073709551616.0;
    const float narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    spec.narrow = std::isfinite(narrow) ? narrow : 0.1F;
    spec.timeout = seconds(1 + random() % 3600);
    spec.delay = milliseconds(static_cast<std::int64_t>(random() >> 8));
    spec.tick = microseconds(static_cast<std::int64_t>(random()));
    spec.at = Timestamp(microseconds(random() % 253'402'300'800'000'000));
    spec.thing = *ThingId::parse("th_" + std::to_string(random()));
    spec.bytes = Bytes(static_cast<std::int64_t>(random() % 1'000'000));
    spec.phase = static_cast<Phase>(random() % 3);
    if (random() % 2 == 0) {
        spec.limit = 1 + static_cast<int>(random() % 9);
        spec.source = Remote{random_text(random), 80};
        spec.payload = JsonText{R"([1, {"x" : "ä"}])"};
    }
    for (std::uint64_t i = random() % 4; i > 0; --i) {
        spec.rows.push_back(random_row(random));
        spec.grid.push_back(std::vector<int>(random() % 3, static_cast<int>(i)));
        spec.labels[random_text(random)] = random_text(random);
        spec.named[random_text(random)] = random_row(random);
        spec.phases.push_back(static_cast<Phase>(random() % 3));
    }
    return spec;
}

TEST(JsonCodec, WhatIsWrittenReadsBackTheSame) {
    std::mt19937_64 random(20251120);
    for (int i = 0; i < 2000; ++i) {
        const Spec spec = random_spec(random);
        const std::string text = to_json(spec);
        const auto again = from_json<Spec>(text);
        ASSERT_TRUE(again) << again.error().to_string() << "\n" << text;
        ASSERT_EQ(*again, spec) << text;
        ASSERT_EQ(to_json(*again), text);
    }
}

TEST(JsonCodec, DoublesReadBackToTheLastBit) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        const double value = random_double(random);
        JsonWriter writer;
        writer.real(value);
        const std::string text = R"({"text":"a","weight":)" + writer.take() + "}";
        const auto row = from_json<Row>(text);
        const bool in_range = value >= 0 && value <= 1;
        ASSERT_EQ(row.has_value(), in_range) << text;
        if (in_range) {
            ASSERT_EQ(*row->weight, value) << text;
        }
    }
}

TEST(JsonCodec, NoBodyCutShortOrChangedCrashes) {
    std::mt19937_64 random(11);
    const std::string text = to_json(random_spec(random));
    for (std::size_t length = 0; length < text.size(); ++length) {
        EXPECT_FALSE(from_json<Spec>(text.substr(0, length)));
    }
    for (int i = 0; i < 20'000; ++i) {
        std::string changed = text;
        for (int j = 0; j < 3; ++j) {
            changed[random() % changed.size()] = static_cast<char>(random());
        }
        if (const auto spec = from_json<Spec>(changed)) {
            EXPECT_TRUE(from_json<Spec>(to_json(*spec))) << changed;
        }
    }
}

TEST(EnumNames, ErrorCodesHaveTheirs) {
    EXPECT_EQ(enum_text(ErrorCode::kNotFound), "not_found");
    EXPECT_EQ(enum_from_text<Phase>("main"), Phase::kMain);
    EXPECT_EQ(enum_from_text<Phase>("Main"), std::nullopt);
}

}  // namespace
}  // namespace nexa
