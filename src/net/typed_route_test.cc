// SPDX-License-Identifier: Apache-2.0
#include "net/typed_route.h"

#include <nlohmann/json.hpp>

#include "core/json_codec.h"
#include "net/openapi.h"
#include "net/server_test_internal.h"

namespace nexa::net {

struct Pot {
    std::string tea;
    int cups = 2;

    static constexpr auto fields() {
        return std::tuple{
            field("tea", &Pot::tea, "Which tea").required(),
            field("cups", &Pot::cups, "How many cups").within(1, 10),
        };
    }
};
NEXA_JSON_CODEC(Pot);

struct Shelf {
    std::vector<Pot> pots;

    static constexpr auto fields() {
        return std::tuple{field("pots", &Shelf::pots, "What stands on it")};
    }
};
NEXA_JSON_CODEC(Shelf);

namespace {

using Json = nlohmann::json;

class Kitchen {
public:
    Task<Pot> brew(Call call, Pot pot) {
        if (pot.tea == "coffee") {
            co_return Error::invalid_argument("{} is a teapot", call.parameter("name")).at("tea");
        }
        pot.cups += 1;
        co_return pot;
    }
    Task<Shelf> shelf(Call call) {
        co_return Shelf{.pots = {{.tea = call.principal.id, .cups = 1}}};
    }
    Task<std::vector<Pot>> list(Call) { co_return std::vector<Pot>{{.tea = "mint", .cups = 3}}; }
    Task<void> smash(Call) { co_return ok(); }
    Task<Response> look(Call) { co_return Response::text("steam", "text/plain", 203); }
};

class TypedRouteTest : public ServerTest {
protected:
    std::vector<Route> routes() {
        const auto open = Auth::kPublic;
        return {
            typed(
                {.method = Method::kPost,
                 .path = "/pots/{name}",
                 .operation_id = "pots_brew",
                 .auth = open,
                 .success_status = 201},
                kitchen,
                &Kitchen::brew
            ),
            typed({.path = "/shelf", .operation_id = "shelf_get"}, kitchen, &Kitchen::shelf),
            typed(
                {.path = "/pots", .operation_id = "pots_list", .auth = open},
                kitchen,
                &Kitchen::list
            ),
            typed(
                {.method = Method::kDelete,
                 .path = "/pots/{name}",
                 .operation_id = "pots_smash",
                 .auth = open},
                kitchen,
                &Kitchen::smash
            ),
            typed({.path = "/look", .operation_id = "look", .auth = open}, kitchen, &Kitchen::look),
        };
    }

    Kitchen kitchen;
};

TEST_F(TypedRouteTest, DecodesTheBodyAndEncodesTheReply) {
    start(routes());
    RawClient raw(server->port());
    const RawResponse brewed = raw.ask(post("/pots/kyusu", R"({"tea":"sencha","cups":3})"));
    EXPECT_EQ(brewed.status, 201);
    EXPECT_EQ(brewed.body, R"({"tea":"sencha","cups":4})");
    EXPECT_TRUE(brewed.has("content-type: application/json\r\n"));
    const RawResponse shelf = raw.ask(get("/shelf", "Authorization: Bearer good\r\n"));
    EXPECT_EQ(Json::parse(shelf.body)["pots"][0]["tea"], "ada");
    EXPECT_EQ(Json::parse(raw.ask(get("/pots")).body)[0]["cups"], 3);
    EXPECT_EQ(raw.ask(get("/look")).status, 203);
    raw.send("DELETE /pots/x HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(raw.read_response().status, 204);
}

TEST_F(TypedRouteTest, TellsWhatCannotBeReadFromWhatIsWrong) {
    start(routes());
    RawClient raw(server->port());
    EXPECT_EQ(raw.ask(post("/pots/k", "{")).status, 400);
    EXPECT_EQ(raw.ask(post("/pots/k", "")).status, 400);
    EXPECT_EQ(raw.ask(post("/pots/k", "{}")).status, 422);
    const RawResponse range = raw.ask(post("/pots/k", R"({"tea":"x","cups":11})"));
    EXPECT_EQ(range.status, 422);
    EXPECT_EQ(Json::parse(range.body)["param"], "cups");
    const RawResponse refused = raw.ask(post("/pots/kyusu", R"({"tea":"coffee"})"));
    EXPECT_EQ(Json::parse(refused.body)["detail"], "kyusu is a teapot");
    EXPECT_EQ(raw.ask(post("/pots/k", std::string(kTypedBodyBytesMax + 1, ' '))).status, 413);
}

TEST_F(TypedRouteTest, TheDocumentHasTheStructsOfTheRows) {
    const std::vector<Route> rows = routes();
    const Json json = Json::parse(openapi_document({.title = "t", .version = "1"}, rows));
    const Json& schemas = json["components"]["schemas"];
    EXPECT_EQ(schemas["Pot"]["properties"]["cups"]["maximum"], 10);
    EXPECT_TRUE(schemas.contains("Shelf"));
    EXPECT_EQ(
        json["paths"]["/pots"]["get"]["responses"]["200"]["content"]["application/json"]["schema"],
        Json::parse(R"({"type":"array","items":{"$ref":"#/components/schemas/Pot"}})")
    );
    EXPECT_TRUE(json["paths"]["/pots/{name}"]["delete"]["responses"].contains("204"));
}

}  // namespace
}  // namespace nexa::net
