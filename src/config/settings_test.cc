// SPDX-License-Identifier: Apache-2.0
#include "config/settings.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/json_codec.h"
#include "fakes/proves.h"

namespace nexa::config {
namespace {

namespace fs = std::filesystem;

struct Database {
    std::string url = "sqlite:nexa.db";
    int pool_size = 4;
    std::string password;
    static constexpr auto fields() {
        return std::tuple{
            field("url", &Database::url, "Where the database is").alias("dsn"),
            field("pool_size", &Database::pool_size, "Connections").within(1, 64),
            field("password", &Database::password, "Password").secret(),
        };
    }
};

struct Disk {
    static constexpr std::string_view kType = "disk";
    std::string folder = "blobs";
    static constexpr auto fields() { return std::tuple{field("folder", &Disk::folder, "Folder")}; }
};

struct Bucket {
    static constexpr std::string_view kType = "bucket";
    std::string name;
    std::string key;
    static constexpr auto fields() {
        return std::tuple{
            field("name", &Bucket::name, "Name").required(),
            field("key", &Bucket::key, "Key").secret(),
        };
    }
};

struct Server {
    std::string host = "127.0.0.1";
    int port = 8080;
    bool tls = false;
    std::chrono::seconds lease{60};
    std::optional<int> limit;
    std::vector<std::string> tags{"a"};
    std::map<std::string, std::string> labels;
    std::map<std::string, Database> replicas;
    Database db;
    std::optional<Database> cache;
    std::variant<Disk, Bucket> store;
    JsonText extra;
    std::string region = "eu";
    static constexpr auto fields() {
        return std::tuple{
            field("host", &Server::host, "Address to listen at"),
            field("port", &Server::port, "Port to listen at").within(1, 65535),
            field("tls", &Server::tls, "Whether to speak TLS"),
            field("lease", &Server::lease, "How long a lease holds"),
            field("limit", &Server::limit, "Most jobs at once"),
            field("tags", &Server::tags, "Tags"),
            field("labels", &Server::labels, "Labels"),
            field("replicas", &Server::replicas, "Copies of the database"),
            field("db", &Server::db, "Database"),
            field("cache", &Server::cache, "Cache"),
            field("store", &Server::store, "Store of blobs"),
            field("extra", &Server::extra, "Anything else"),
            field("region", &Server::region, "Region").one_of({"eu", "us"}),
        };
    }
};

NEXA_JSON_CODEC(Server);

class SettingsTest : public ::testing::Test {
protected:
    void SetUp() override {
        auto made = TemporaryDirectory::create(fs::temp_directory_path());
        ASSERT_TRUE(made);
        directory_.emplace(*std::move(made));
        sources_.start_folder = directory_->path() / "project" / "deep";
        fs::create_directories(sources_.start_folder);
        sources_.user_file = directory_->path() / "user.yaml";
    }

    void write(const fs::path& path, std::string_view text, unsigned mode = 0600) {
        ASSERT_TRUE(write_file_atomically(path, text, mode));
    }
    void write_project(std::string_view text) { write(sources_.start_folder / "nexa.yaml", text); }
    void set(std::string_view text) { sources_.flags.push_back(parse_override(text).value()); }

    Result<Settings<Server>> load() { return load_settings<Server>(sources_); }
    std::string refusal() {
        const auto settings = load();
        return settings ? "accepted" : settings.error().to_string();
    }
    std::string origin(std::string_view path) {
        const auto settings = load();
        EXPECT_TRUE(settings) << settings.error().to_string();
        const SettingOrigin* found = settings ? find_origin(settings->origins, path) : nullptr;
        return found == nullptr ? "none" : fmt::format("{} from {}", found->value, found->origin);
    }

    std::optional<TemporaryDirectory> directory_;
    SettingsSources sources_;
};

TEST_F(SettingsTest, NothingGivenMeansDefaults) {
    const auto settings = load();
    ASSERT_TRUE(settings) << settings.error().to_string();
    EXPECT_EQ(settings->value.port, 8080);
    EXPECT_TRUE(settings->warnings.empty());
    for (const SettingOrigin& row : settings->origins) {
        EXPECT_EQ(row.origin, "default") << row.path;
    }
    EXPECT_EQ(find_origin(settings->origins, "lease")->value, "60");
    EXPECT_EQ(find_origin(settings->origins, "db.url")->value, "sqlite:nexa.db");
    EXPECT_EQ(find_origin(settings->origins, "limit")->value, "null");
    EXPECT_EQ(find_origin(settings->origins, "tags")->value, R"(["a"])");
}

TEST_F(SettingsTest, EachLayerBeatsTheOneBelow) {
    NEXA_PROVES("A-64");
    EXPECT_EQ(origin("port"), "8080 from default");
    write(sources_.user_file, "host: u\nport: 1\n");
    EXPECT_EQ(origin("port"), "1 from " + sources_.user_file.string() + ":2");
    write_project("# ours\nport: 2\n");
    EXPECT_EQ(origin("port"), "2 from nexa.yaml:2");
    sources_.environment["NEXA_PORT"] = "3";
    EXPECT_EQ(origin("port"), "3 from env NEXA_PORT");
    set("port=4");
    EXPECT_EQ(origin("port"), "4 from --set");
    set("port=5");
    EXPECT_EQ(origin("port"), "5 from --set");
    EXPECT_EQ(origin("host"), "u from " + sources_.user_file.string() + ":1");
    EXPECT_EQ(load()->value.port, 5);
}

TEST_F(SettingsTest, TheNearestProjectFileIsTheOnlyOne) {
    write(directory_->path() / "nexa.yaml", "port: 1\nhost: far\n");
    EXPECT_EQ(load()->value.port, 1);
    write(directory_->path() / "project" / "nexa.yaml", "port: 2\n");
    EXPECT_EQ(load()->value.port, 2);
    EXPECT_EQ(load()->value.host, "127.0.0.1");
    fs::create_directories(sources_.start_folder / "nexa.yaml");  // a folder is no file
    EXPECT_EQ(load()->value.port, 2);
    sources_.start_folder.clear();
    EXPECT_EQ(load()->value.port, 8080);
}

TEST_F(SettingsTest, AFileThatWasNamedMustBeThere) {
    write_project("port: 1\n");
    sources_.file = directory_->path() / "other.yaml";
    EXPECT_EQ(load().error().code, ErrorCode::kNotFound);
    write(*sources_.file, "port: 2\n");
    EXPECT_EQ(origin("port"), "2 from " + sources_.file->string() + ":1");
}

TEST_F(SettingsTest, ObjectsMergeKeyByKeyAndListsAreReplaced) {
    write(sources_.user_file, "tags: [x, y]\nlabels: {a: 1, b: 1}\ndb: {url: u, pool_size: 9}\n");
    write_project("tags: [z]\nlabels:\n  b: 2\ndb:\n  pool_size: 10\nextra: {k: [1, true, no]}\n");
    const auto settings = load();
    ASSERT_TRUE(settings) << settings.error().to_string();
    EXPECT_EQ(settings->value.tags, (std::vector<std::string>{"z"}));
    EXPECT_EQ(settings->value.labels, (std::map<std::string, std::string>{{"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(settings->value.db.url, "u");
    EXPECT_EQ(settings->value.db.pool_size, 10);
    EXPECT_EQ(settings->value.extra.text, R"({"k":[1,true,"no"]})");
    EXPECT_EQ(origin("labels.a"), "1 from " + sources_.user_file.string() + ":2");
    EXPECT_EQ(origin("labels.b"), "2 from nexa.yaml:3");
    EXPECT_EQ(origin("db.pool_size"), "10 from nexa.yaml:5");
}

TEST_F(SettingsTest, AnotherAlternativeReplacesTheOneBelow) {
    write(sources_.user_file, "store: {type: disk, folder: f}\n");
    set("store.folder=g");
    EXPECT_EQ(std::get<Disk>(load()->value.store).folder, "g");
    write_project("store: {type: bucket, name: n}\n");
    sources_.flags.clear();
    EXPECT_EQ(std::get<Bucket>(load()->value.store).name, "n");
    EXPECT_EQ(origin("store"), R"({"type":"bucket","name":"n","key":"[secret]"} from nexa.yaml:1)");
}

TEST_F(SettingsTest, TheEnvironmentReachesEveryDepth) {
    sources_.environment = {
        {"NEXA_DB__POOL_SIZE", "7"},
        {"NEXA_DB__DSN", "by alias"},
        {"NEXA_LABELS__TEAM", "x: y"},
        {"NEXA_REPLICAS__ONE__URL", "r1"},
        {"NEXA_TAGS", "[p, q]"},
        {"NEXA_LIMIT", "3"},
        {"NEXA_CACHE", "{url: c}"},
        {"NEXA_HOST", ""},  // empty: not set
        {"PATH", "/bin"},
        {"NEXA_", "odd"},
    };
    const auto settings = load();
    ASSERT_TRUE(settings) << settings.error().to_string();
    EXPECT_EQ(settings->value.db.pool_size, 7);
    EXPECT_EQ(settings->value.db.url, "by alias");
    EXPECT_EQ(settings->value.labels.at("team"), "x: y");
    EXPECT_EQ(settings->value.replicas.at("one").url, "r1");
    EXPECT_EQ(settings->value.tags, (std::vector<std::string>{"p", "q"}));
    EXPECT_EQ(settings->value.limit, 3);
    EXPECT_EQ(settings->value.cache->url, "c");
    EXPECT_EQ(settings->value.host, "127.0.0.1");
    EXPECT_EQ(
        settings->warnings, (std::vector<std::string>{"NEXA_ is no setting and was not used"})
    );
    EXPECT_EQ(origin("replicas.one.url"), "r1 from env NEXA_REPLICAS__ONE__URL");
    sources_.environment["NEXA_LIMIT"] = "null";
    EXPECT_EQ(load()->value.limit, std::nullopt);
}

TEST_F(SettingsTest, AnAliasBelowIsBeatenByTheNameAbove) {
    write_project("db: {dsn: low}\n");
    EXPECT_EQ(load()->value.db.url, "low");
    sources_.environment["NEXA_DB__URL"] = "high";
    EXPECT_EQ(load()->value.db.url, "high");
    write_project("db: {dsn: one, url: two}\n");
    sources_.environment.clear();
    EXPECT_EQ(
        refusal(),
        "nexa.yaml:1: db.url: is given twice, by name and alias, and differs (give only 'url')"
    );
}

TEST_F(SettingsTest, UnknownKeysAreErrorsWithFileLinePathAndTheNearestName) {
    NEXA_PROVES("A-63");
    write_project("host: x\ndb:\n  pool_sice: 3\n");
    EXPECT_EQ(
        refusal(),
        "nexa.yaml:3: db.pool_sice: no such field in Database "
        "(did you mean 'pool_size'?)"
    );
    EXPECT_EQ(row_of(load().error().code).exit_code, 2);
    write_project("prot: 1\n");
    set("port=1");
    EXPECT_EQ(refusal(), "nexa.yaml:1: prot: no such field in Server (did you mean 'port'?)");
    write_project("");
    set("db.ulr=x");
    EXPECT_EQ(refusal(), "--set: db.ulr: no such field in Database (did you mean 'url'?)");
}

TEST_F(SettingsTest, WrongValuesAreErrorsWithTheirPlace) {
    NEXA_PROVES("A-63");
    write_project("host: x\nport: eighty\n");
    EXPECT_EQ(refusal(), "nexa.yaml:2: port: must be a whole number, is 'eighty'");
    write_project("port: 65536\n");
    EXPECT_EQ(refusal(), "nexa.yaml:1: port: must be from 1 to 65535, is '65536'");
    write_project("port: '80'\n");
    EXPECT_EQ(refusal(), "nexa.yaml:1: port: must be a whole number, is '80'");
    write_project("tls: yes\n");
    EXPECT_EQ(refusal(), "nexa.yaml:1: tls: must be true or false, is 'yes'");
    write_project("- a\n");
    EXPECT_EQ(refusal(), "nexa.yaml:1: must be settings as 'key: value'");
    write_project("");
    sources_.environment["NEXA_REGION"] = "eo";
    EXPECT_EQ(
        refusal(), "env NEXA_REGION: region: must be one of eu, us, is 'eo' (did you mean 'eu'?)"
    );
    sources_.environment = {{"NEXA_TAGS", "[a"}};
    EXPECT_TRUE(refusal().starts_with("env NEXA_TAGS: tags: is no YAML")) << refusal();
    sources_.environment.clear();
    set("port.x=1");
    EXPECT_EQ(refusal(), "--set: port: must be a whole number, is an object");
}

TEST_F(SettingsTest, AWrongValueThatIsOverriddenDoesNoHarm) {
    write_project("port: eighty\n");
    set("port=80");
    EXPECT_EQ(load()->value.port, 80);
}

TEST_F(SettingsTest, WhatIsMissingIsNamedWithTheWaysToSetIt) {
    write_project("store:\n  type: bucket\n");
    EXPECT_EQ(
        refusal(),
        "nexa.yaml:1: store.name: is missing "
        "(set it in nexa.yaml, by NEXA_STORE__NAME or by --set store.name=…)"
    );
}

TEST_F(SettingsTest, AllErrorsAreToldAtOnce) {
    write_project("port: x\ntls: y\nzzz: 1\n");
    std::vector<Error> errors;
    ASSERT_FALSE(load_settings<Server>(sources_, &errors));
    ASSERT_EQ(errors.size(), 3u);
    EXPECT_EQ(errors[0].param, "nexa.yaml:1: port");
    EXPECT_EQ(errors[1].param, "nexa.yaml:2: tls");
    EXPECT_EQ(errors[2].param, "nexa.yaml:3: zzz");
}

TEST_F(SettingsTest, VariablesOfOthersAreWarningsAndSlipsAreErrors) {
    sources_.environment = {{"NEXA_SDK_RETRIES", "1"}, {"NEXA_TOKEN", "t"}};
    sources_.other_variables = {"NEXA_TOKEN"};
    const auto settings = load();
    ASSERT_TRUE(settings);
    ASSERT_EQ(settings->warnings.size(), 1u);
    EXPECT_EQ(settings->warnings[0], "NEXA_SDK_RETRIES is no setting and was not used");
    sources_.environment = {{"NEXA_DB_URL", "x"}};
    EXPECT_EQ(refusal(), "env NEXA_DB_URL: no such setting (did you mean 'NEXA_DB__URL'?)");
}

TEST_F(SettingsTest, SecretsComeFromVariablesAndTheFilesTheyName) {
    sources_.environment["NEXA_DB__PASSWORD"] = "hunter2";
    EXPECT_EQ(load()->value.db.password, "hunter2");
    EXPECT_EQ(origin("db.password"), "[secret] from env NEXA_DB__PASSWORD");

    const fs::path file = directory_->path() / "secret";
    write(file, "from file\n");
    sources_.environment = {{"NEXA_DB__PASSWORD_FILE", file.string()}};
    EXPECT_EQ(load()->value.db.password, "from file");
    EXPECT_EQ(origin("db.password"), "[secret] from env NEXA_DB__PASSWORD_FILE");
    sources_.environment["NEXA_DB__PASSWORD"] = "direct";
    EXPECT_EQ(load()->value.db.password, "direct");

    sources_.environment = {{"NEXA_DB__PASSWORD_FILE", (directory_->path() / "no").string()}};
    EXPECT_EQ(load().error().param, "env NEXA_DB__PASSWORD_FILE");
    sources_.environment = {{"NEXA_HOST_FILE", file.string()}};
    EXPECT_EQ(
        refusal(),
        "env NEXA_HOST_FILE: only secrets are read from files "
        "(give the value itself in NEXA_HOST)"
    );
}

TEST_F(SettingsTest, SecretsAreRefusedFromFlagsAndFromFilesThatEveryoneReads) {
    for (const char* flag :
         {"db.password=hunter2",
          "db={password: hunter2}",
          "store={type: bucket, name: n, key: hunter2}",
          "replicas={a: {password: hunter2}}"}) {
        sources_.flags.clear();
        set(flag);
        const std::string text = refusal();
        EXPECT_NE(text.find("a secret is never given by a flag"), std::string::npos) << text;
        EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    }
    sources_.flags.clear();
    const fs::path project = sources_.start_folder / "nexa.yaml";
    write(project, "db:\n  password: hunter2\n", 0644);
    EXPECT_EQ(load().error().code, ErrorCode::kPermissionDenied);
    EXPECT_EQ(load().error().param, "nexa.yaml");
    write(project, "db:\n  password: hunter2\n", 0640);
    EXPECT_EQ(load()->value.db.password, "hunter2");
    for (const SettingOrigin& row : load()->origins) {
        EXPECT_EQ(row.value.find("hunter2"), std::string::npos) << row.path;
    }
    write(project, "db:\n  password: [hunter2]\n", 0640);
    EXPECT_EQ(refusal(), "nexa.yaml:2: db.password: must be a string");
}

TEST_F(SettingsTest, FilesTooLargeAreRefused) {
    write_project(std::string(kConfigBytesMax, '#'));
    EXPECT_TRUE(load());
    write_project(std::string(kConfigBytesMax + 1, '#'));
    EXPECT_EQ(load().error().code, ErrorCode::kInvalidArgument);
}

TEST(Override, IsPathAndValue) {
    EXPECT_EQ(parse_override("a.b=c=d")->path, "a.b");
    EXPECT_EQ(parse_override("a.b=c=d")->value, "c=d");
    EXPECT_EQ(parse_override("a=")->value, "");
    EXPECT_FALSE(parse_override("=x"));
    EXPECT_FALSE(parse_override("a"));
    EXPECT_FALSE(parse_override(""));
}

TEST_F(SettingsTest, OddPathsOfFlagsAreErrorsAndNotCrashes) {
    for (const char* flag :
         {".=1", "..=1", "db.=1", ".db=1", "db..url=1", "tags.0=1", "labels.=1"}) {
        sources_.flags.clear();
        set(flag);
        EXPECT_NE(refusal(), "accepted") << flag;
    }
}

}  // namespace
}  // namespace nexa::config
