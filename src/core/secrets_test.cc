// SPDX-License-Identifier: Apache-2.0
#include "core/secrets.h"

#include <sys/stat.h>

#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "core/file.h"
#include "core/log.h"
#include "fakes/manual_clock.h"
#include "fakes/proves.h"

namespace nexa {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kValue = "sk-correct-horse";

class SecretsTest : public testing::Test {
protected:
    fs::path file(const std::string& name, std::string_view text, unsigned mode = 0600) {
        EXPECT_TRUE(write_file_atomically(folder.path() / name, text, mode));
        return folder.path() / name;
    }
    SecretManager with_folder() const { return SecretManager({{}, {folder.path()}}); }

    TemporaryDirectory folder = TemporaryDirectory::create(fs::temp_directory_path()).value();
};

TEST_F(SecretsTest, ComeFromEnvironmentNamedFileAndFolderInThisOrder) {
    NEXA_PROVES("A-20 A-21");
    SecretSources sources;
    sources.folders = {folder.path()};
    file("TOKEN", "from folder\n");
    EXPECT_EQ(SecretManager(sources).get_secret("TOKEN")->reveal(), "from folder");
    sources.environment["TOKEN_FILE"] = file("elsewhere", "from file").string();
    EXPECT_EQ(SecretManager(sources).get_secret("TOKEN")->reveal(), "from file");
    sources.environment["TOKEN"] = "from environment";
    EXPECT_EQ(SecretManager(sources).get_secret("TOKEN")->reveal(), "from environment");
    sources.environment["TOKEN"] = "";
    EXPECT_EQ(SecretManager(sources).get_secret("TOKEN")->reveal(), "from file");
}

TEST_F(SecretsTest, AFolderHasThemInLowerCaseToo) {
    file("db_url", "x");
    EXPECT_EQ(with_folder().get_secret("DB_URL")->reveal(), "x");
    file("DB_URL", "y");
    EXPECT_EQ(with_folder().get_secret("DB_URL")->reveal(), "y");
}

TEST_F(SecretsTest, AMissingOneIsNamedWithThePlacesLookedAt) {
    NEXA_PROVES("A-21");
    const auto missing = with_folder().get_secret("TOKEN");
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
    for (const std::string& part :
         {std::string("'TOKEN'"), std::string("TOKEN_FILE"), folder.path().string()}) {
        EXPECT_NE(missing.error().message.find(part), std::string::npos) << part;
    }
}

TEST_F(SecretsTest, LoseOneLineEndAndNoMore) {
    for (const auto& [text, value] : std::vector<std::pair<std::string, std::string>>{
             {"a", "a"}, {"a\n", "a"}, {"a\r\n", "a"}, {"a\n\n", "a\n"}, {" a ", " a "}
         }) {
        file("T", text);
        EXPECT_EQ(with_folder().get_secret("T")->reveal(), value);
    }
}

TEST_F(SecretsTest, RefuseFilesThatEveryoneMayReadOrWrite) {
    for (const unsigned mode : {0644U, 0604U, 0602U, 0666U}) {
        const fs::path path = file("T", "x", mode);
        const auto refused = with_folder().get_secret("T");
        EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
        EXPECT_EQ(refused.error().advice, "chmod 600 " + path.string());
    }
    file("T", "x", 0640);
    EXPECT_TRUE(with_folder().get_secret("T"));
}

TEST_F(SecretsTest, RefuseFilesThatAreEmptyTooLargeOrNoFiles) {
    for (const char* text : {"", "\n", "\r\n"}) {
        file("T", text);
        EXPECT_EQ(with_folder().get_secret("T").error().code, ErrorCode::kInvalidArgument);
    }
    file("T", std::string(kSecretBytesMax, 'x') + "\n");
    EXPECT_EQ(with_folder().get_secret("T")->reveal().size(), kSecretBytesMax);
    file("T", std::string(kSecretBytesMax + 1, 'x'));
    EXPECT_EQ(with_folder().get_secret("T").error().code, ErrorCode::kInvalidArgument);
    ASSERT_EQ(mkfifo((folder.path() / "F").c_str(), 0600), 0);
    EXPECT_EQ(with_folder().get_secret("F").error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SecretsTest, ABrokenSourceIsNotSkipped) {
    file("T", "in the folder");
    SecretManager manager({{{"T_FILE", (folder.path() / "none").string()}}, {folder.path()}});
    const auto broken = manager.get_secret("T");
    EXPECT_EQ(broken.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(broken.error().param, "T_FILE");
}

TEST_F(SecretsTest, NamesCannotLeaveTheFolder) {
    for (const char* name : {"", ".", "..", "../T", "/etc/passwd", "a/b", ".hidden", "a b"}) {
        EXPECT_EQ(with_folder().get_secret(name).error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_FALSE(with_folder().get_secret(std::string(201, 'a')));
    EXPECT_FALSE(with_folder().get_secret(std::string_view("a\0b", 3)));
}

TEST_F(SecretsTest, AreNeverPrinted) {
    NEXA_PROVES("A-20");
    const SecretManager manager({{{"TOKEN", std::string(kValue)}}, {}});
    const Secret secret = std::move(manager.get_secret("TOKEN")).value();
    std::ostringstream stream;
    stream << secret;
    EXPECT_EQ(stream.str(), "[secret]");
    EXPECT_EQ(
        fmt::format("token={} {}", secret, testing::PrintToString(secret)),
        "token=[secret] [secret]"
    );
    file("T", std::string(kValue), 0666);
    const std::string refused = with_folder().get_secret("T").error().to_string();
    EXPECT_EQ(refused.find(kValue), std::string::npos);
}

TEST_F(SecretsTest, AreNotInLogsEvenIfSomeoneWritesThemThere) {
    NEXA_PROVES("A-20");
    fakes::ManualClock clock;
    std::string lines;
    Log log;
    log.configure({.callback = [&](std::string_view line) { lines += line; }}, clock);
    file("FROM_FILE", "correct-horse-in-a-file\n");
    const SecretManager manager({{{"FROM_ENV", "battery-staple-in-env"}}, {folder.path()}});
    for (const char* name : {"FROM_FILE", "FROM_ENV"}) {
        const Secret secret = std::move(manager.get_secret(name)).value();
        log.get_logger("x").info(
            fmt::format("using {}", secret.reveal()), {{"s", secret.reveal()}}
        );
    }
    EXPECT_NE(lines.find("using [redacted]"), std::string::npos);
    EXPECT_EQ(lines.find("correct-horse"), std::string::npos);
    EXPECT_EQ(lines.find("battery-staple"), std::string::npos);
}

TEST_F(SecretsTest, RotatedFilesAreSeen) {
    const SecretManager manager({{}, {folder.path()}});
    file("T", "old");
    EXPECT_EQ(manager.get_secret("T")->reveal(), "old");
    file("T", "new");
    EXPECT_EQ(manager.get_secret("T")->reveal(), "new");
}

TEST(Secret, MovesWithoutACopy) {
    Secret first("abc");
    const char* where = first.reveal().data();
    Secret second = std::move(first);
    EXPECT_EQ(second.reveal().data(), where);
    EXPECT_EQ(first.reveal(), "");  // NOLINT(bugprone-use-after-move): what a moved one holds
    second = Secret("x");
    EXPECT_EQ(second.reveal(), "x");
    static_assert(!std::is_copy_constructible_v<Secret>);
}

}  // namespace
}  // namespace nexa
