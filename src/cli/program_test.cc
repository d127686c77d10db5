// SPDX-License-Identifier: Apache-2.0
#include "cli/program.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/cli_world_internal.h"
#include "cli/credentials.h"
#include "core/file.h"
#include "core/json.h"

namespace nexa::cli {
namespace {

constexpr const char* kFlagsFile = "src/cli/testdata/flags.txt";

class CliProgram : public testing::Test {
protected:
    CliWorld world;
};

TEST_F(CliProgram, CommandsAndFlagsAreAsFrozen) {
    const std::string list = flag_list(world.context);
    const auto frozen = read_file(kFlagsFile, 1 << 20);
    ASSERT_TRUE(frozen) << frozen.error().to_string();
    EXPECT_EQ(list, *frozen) << "a flag was added or taken away: if that is meant, change "
                             << kFlagsFile;
}

TEST_F(CliProgram, UnknownCommandProposesTheNearName) {
    EXPECT_EQ(world.run({"trian"}), 2);
    EXPECT_NE(world.err.str().find("did you mean 'train'?"), std::string::npos);
    EXPECT_EQ(world.run({"job", "lss"}), 2);
    EXPECT_NE(world.err.str().find("did you mean 'ls'?"), std::string::npos);
    EXPECT_EQ(world.out.str(), "");
}

TEST_F(CliProgram, UnknownFlagProposesTheNearName) {
    EXPECT_EQ(world.run({"train", "--epoch", "3"}), 2);
    EXPECT_NE(world.err.str().find("did you mean '--epochs'?"), std::string::npos);
}

TEST_F(CliProgram, HelpLeavesHiddenTypesOutAndExplainsExitCodes) {
    EXPECT_EQ(world.run({"--help"}), 0);
    EXPECT_NE(world.out.str().find("train"), std::string::npos);
    EXPECT_EQ(world.out.str().find("echo"), std::string::npos);
    EXPECT_EQ(world.run({"echo", "--help"}), 0);
    EXPECT_NE(world.out.str().find("--message"), std::string::npos);
    EXPECT_EQ(world.run({"help", "exit-codes"}), 0);
    EXPECT_NE(world.out.str().find("130"), std::string::npos);
    EXPECT_EQ(world.run({}), 0);
    EXPECT_EQ(world.run({"job"}), 0);
}

TEST_F(CliProgram, ErrorsUnderJsonAreAnObjectOnStderr) {
    EXPECT_EQ(world.run({"train", "--json", "--set", "epochs=x"}), 2);
    EXPECT_EQ(world.out.str(), "");
    const std::string text = world.err.str();
    const auto error = parse_json(text);
    ASSERT_TRUE(error) << text;
    EXPECT_EQ(error->find("error")->find("code")->text, "invalid_argument");
    EXPECT_EQ(error->find("error")->find("param")->text, "epochs");
    EXPECT_EQ(error->find("error")->find("exit_code")->text, "2");
}

TEST_F(CliProgram, SpecIsCheckedBeforeTheServerIsAsked) {
    EXPECT_EQ(world.run({"train", "--set", "epochs=3"}), 2);
    EXPECT_NE(world.err.str().find("dataset_uri"), std::string::npos);
    EXPECT_EQ(world.run({"train", "-f", "-"}, "{"), 2);
    EXPECT_EQ(world.run({"train", "-f", "/no/such/file"}), 5);
}

TEST_F(CliProgram, UnreachableServerExitsWithTenAndSaysWhatToDo) {
    world.context.environment["NEXA_API_URL"] = "http://127.0.0.1:1/api";
    EXPECT_EQ(world.run({"job", "wait", "job_1"}), 10);
    EXPECT_NE(world.err.str().find("nexa up"), std::string::npos);
    world.context.environment["NEXA_API_URL"] = "http://127.0.0.1:1";
    EXPECT_EQ(world.run({"job", "wait", "job_1"}), 10);
    EXPECT_NE(world.err.str().find("http://127.0.0.1:1/api"), std::string::npos) << world.err.str();
    world.context.environment["NEXA_API_URL"] = "localhost";
    EXPECT_EQ(world.run({"job", "ls"}), 2);
}

TEST_F(CliProgram, NoEscapesWithoutATerminalOrWithNoColor) {
    world.context.err_is_terminal = true;
    world.run({"nope"});
    EXPECT_NE(world.err.str().find('\x1b'), std::string::npos);
    world.context.environment["NO_COLOR"] = "1";
    world.run({"nope"});
    EXPECT_EQ(world.err.str().find('\x1b'), std::string::npos);
}

TEST_F(CliProgram, VersionIsThatOfTheProgram) {
    EXPECT_EQ(world.run({"version"}), 0);
    EXPECT_EQ(world.out.str(), "nexa 1.2.3\n");
    EXPECT_EQ(world.run({"version", "--json"}), 0);
    EXPECT_EQ(world.out.str(), "{\"version\":\"1.2.3\",\"commit\":\"\"}\n");
}

unsigned mode_of(const std::filesystem::path& path) {
    struct stat info{};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

TEST_F(CliProgram, CredentialsAreForTheirOwnerAlone) {
    const auto path = credentials_path(world.context);
    ASSERT_TRUE(path);
    EXPECT_EQ(*path, world.home.path() / ".config/nexa/credentials");
    EXPECT_FALSE(*find_key(world.context));
    ASSERT_TRUE(store_key(*path, "nexa_secret"));
    EXPECT_EQ(mode_of(*path), 0600U);
    EXPECT_EQ(mode_of(path->parent_path()), 0700U);
    const auto found = find_key(world.context);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->key.reveal(), "nexa_secret");

    ::chmod(path->c_str(), 0640);
    EXPECT_EQ(find_key(world.context).error().code, ErrorCode::kPermissionDenied);
    ASSERT_TRUE(store_key(*path, "two words"));
    EXPECT_EQ(mode_of(*path), 0600U);
    EXPECT_EQ(find_key(world.context).error().code, ErrorCode::kMalformed);
    world.context.environment["NEXA_API_KEY"] = " from_environment\n";
    EXPECT_EQ((*find_key(world.context))->key.reveal(), "from_environment");
}

TEST_F(CliProgram, CredentialsFollowTheBaseDirectories) {
    world.context.environment["XDG_CONFIG_HOME"] = "/conf";
    EXPECT_EQ(*credentials_path(world.context), "/conf/nexa/credentials");
    world.context.environment["XDG_CONFIG_HOME"] = "relative";
    EXPECT_EQ(*credentials_path(world.context), world.home.path() / ".config/nexa/credentials");
    world.context.environment.clear();
    EXPECT_EQ(credentials_path(world.context).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(CliProgram, LoginRefusesWhatIsNoKeyWithoutShowingIt) {
    EXPECT_EQ(world.run({"login"}, "nexa_sesame\n"), 4);
    EXPECT_EQ(world.err.str().find("sesame"), std::string::npos);
    EXPECT_EQ(world.run({"login"}, ""), 4);
    EXPECT_FALSE(std::filesystem::exists(world.home.path() / ".config"));
}

}  // namespace
}  // namespace nexa::cli
