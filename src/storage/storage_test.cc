// SPDX-License-Identifier: Apache-2.0
#include "storage/storage.h"

#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/proves.h"
#include "fakes/temp_folder.h"

namespace nexa::storage {
namespace {

namespace fs = std::filesystem;

constexpr Bytes kAny{std::int64_t{1} << 40U};

std::vector<std::string> keys(Storage& storage, std::string_view prefix = "") {
    std::vector<std::string> found;
    const Status listed = storage.list(prefix, [&](const ObjectInfo& object) {
        found.push_back(object.key);
        return true;
    });
    EXPECT_TRUE(listed);
    return found;
}

using Keys = std::vector<std::string>;

/// What every backend must do. A new one is a line at INSTANTIATE_TEST_SUITE_P.
class Backend {
public:
    virtual ~Backend() = default;
    virtual std::string uri() const = 0;
};

class FileBackend : public Backend {
public:
    std::string uri() const override { return "file://" + folder_.path().native() + "/objects"; }

private:
    fakes::TempFolder folder_;
};

class PathBackend : public Backend {
public:
    std::string uri() const override { return (folder_.path() / "some objects%41").native(); }

private:
    fakes::TempFolder folder_;
};

struct BackendRow {
    std::string name;
    std::unique_ptr<Backend> (*make)();
};

class StorageConformance : public ::testing::TestWithParam<BackendRow> {
protected:
    void SetUp() override {
        backend_ = GetParam().make();
        storage_ = get_storage(backend_->uri(), {.reserve = Bytes(0)}).value();
    }

    std::unique_ptr<Backend> backend_;
    std::unique_ptr<Storage> storage_;
};

TEST_P(StorageConformance, PutsGetsListsAndRemoves) {
    NEXA_PROVES("A-17");
    EXPECT_TRUE(storage_->put("models/a/weights.bin", "weights"));
    EXPECT_TRUE(storage_->put("models/b", ""));
    EXPECT_EQ(storage_->get("models/a/weights.bin", kAny).value(), "weights");
    EXPECT_EQ(storage_->get("models/b", kAny).value(), "");
    EXPECT_EQ(keys(*storage_), (Keys{"models/a/weights.bin", "models/b"}));
    EXPECT_TRUE(storage_->remove("models/a/weights.bin"));
    EXPECT_EQ(storage_->get("models/a/weights.bin", kAny).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(keys(*storage_), Keys{"models/b"});
}

TEST_P(StorageConformance, PutReplacesTheWhole) {
    EXPECT_TRUE(storage_->put("k", "a long first text"));
    EXPECT_TRUE(storage_->put("k", "short"));
    EXPECT_EQ(storage_->get("k", kAny).value(), "short");
    EXPECT_EQ(storage_->stat("k").value().size, Bytes(5));
}

TEST_P(StorageConformance, KeepsLargeObjectsByteForByte) {
    std::string large((std::size_t{2} << 20U) + 1, '\0');
    for (std::size_t i = 0; i < large.size(); ++i) {
        large[i] = static_cast<char>(i * 7 / 5);
    }
    EXPECT_TRUE(storage_->put("large", large));
    EXPECT_EQ(storage_->get("large", kAny).value(), large);
    const auto size = Bytes(static_cast<std::int64_t>(large.size()));
    EXPECT_TRUE(storage_->get("large", size));
    EXPECT_EQ(storage_->get("large", size - Bytes(1)).error().code, ErrorCode::kResourceExhausted);
}

TEST_P(StorageConformance, AFailingSourceLeavesWhatWasThere) {
    class Failing final : public ByteSource {
        Result<std::size_t> read(std::span<char> room) override {
            if (is_first_) {
                is_first_ = false;
                room[0] = 'x';
                return 1;
            }
            return Error::cancelled("the sender is gone");
        }
        bool is_first_ = true;
    };
    EXPECT_TRUE(storage_->put("k", "kept"));
    Failing first;
    EXPECT_EQ(storage_->put("k", first).error().code, ErrorCode::kCancelled);
    Failing second;
    EXPECT_FALSE(storage_->put("never/there", second));
    EXPECT_EQ(storage_->get("k", kAny).value(), "kept");
    EXPECT_EQ(keys(*storage_), Keys{"k"});
}

TEST_P(StorageConformance, ASinkStopsTheReading) {
    EXPECT_TRUE(storage_->put("k", "text"));
    const Status stopped = storage_->stream("k", [](std::string_view) -> Status {
        return Error::cancelled("enough");
    });
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
}

TEST_P(StorageConformance, MissingObjectsAreNotFoundAndRemovingThemIsFine) {
    EXPECT_TRUE(storage_->put("folder/there", "x"));
    for (const char* key :
         {"missing", "folder", "folder/missing", "no/way", "folder/there/below"}) {
        EXPECT_EQ(storage_->get(key, kAny).error().code, ErrorCode::kNotFound) << key;
        EXPECT_EQ(storage_->stat(key).error().code, ErrorCode::kNotFound) << key;
        EXPECT_TRUE(storage_->remove(key)) << key;
    }
    EXPECT_EQ(keys(*storage_), Keys{"folder/there"});
}

TEST_P(StorageConformance, ListsByPrefixInTheOrderOfBytes) {
    const Keys all{"a-b", "a/b", "a/b-c", "a/b/c", "a/bc", "a0", "b", "ä"};
    const Keys stored{"ä", "b", "a0", "a/bc", "a/b-c", "a-b", "a/b/c"};
    for (const std::string& key : stored) {
        EXPECT_TRUE(storage_->put(key, key));
    }
    EXPECT_EQ(keys(*storage_), (Keys{"a-b", "a/b-c", "a/b/c", "a/bc", "a0", "b", "ä"}));
    EXPECT_EQ(keys(*storage_, "a"), (Keys{"a-b", "a/b-c", "a/b/c", "a/bc", "a0"}));
    EXPECT_EQ(keys(*storage_, "a/"), (Keys{"a/b-c", "a/b/c", "a/bc"}));
    EXPECT_EQ(keys(*storage_, "a/b"), (Keys{"a/b-c", "a/b/c", "a/bc"}));
    EXPECT_EQ(keys(*storage_, "a/b/"), Keys{"a/b/c"});
    EXPECT_EQ(keys(*storage_, "a/b/c"), Keys{"a/b/c"});
    EXPECT_EQ(keys(*storage_, "a/b/c/"), Keys{});
    EXPECT_EQ(keys(*storage_, "../"), Keys{});
    int calls = 0;
    EXPECT_TRUE(storage_->list("", [&](const ObjectInfo&) { return ++calls < 2; }));
    EXPECT_EQ(calls, 2);
}

TEST_P(StorageConformance, SaysSizeAndTime) {
    EXPECT_TRUE(storage_->put("folder/k", "12345"));
    const ObjectInfo object = storage_->stat("folder/k").value();
    EXPECT_EQ(object.key, "folder/k");
    EXPECT_EQ(object.size, Bytes(5));
    EXPECT_GT(object.modified_at, parse_rfc3339("2024-01-01T00:00:00Z").value());
}

TEST_P(StorageConformance, ARemovedFolderIsNoObstacleToAKeyOfItsName) {
    EXPECT_TRUE(storage_->put("a/b/c", "x"));
    EXPECT_TRUE(storage_->remove("a/b/c"));
    EXPECT_TRUE(storage_->put("a", "y"));
    EXPECT_EQ(keys(*storage_), Keys{"a"});
}

TEST_P(StorageConformance, RefusesBadKeys) {
    for (const std::string& key : Keys{
             "",
             "/",
             "/a",
             "a/",
             "a//b",
             ".",
             "..",
             "../a",
             "a/..",
             "a/./b",
             "a/../../b",
             "a\\b",
             "a\nb",
             std::string("a\0b", 3),
             "\x7f",
             "\xff",
             "\xed\xa0\x80",
             std::string(1025, 'a'),
             std::string(256, 'a')
         }) {
        EXPECT_EQ(storage_->put(key, "x").error().code, ErrorCode::kInvalidArgument) << key;
        EXPECT_EQ(storage_->get(key, kAny).error().code, ErrorCode::kInvalidArgument) << key;
        EXPECT_EQ(storage_->stat(key).error().code, ErrorCode::kInvalidArgument) << key;
        EXPECT_EQ(storage_->remove(key).error().code, ErrorCode::kInvalidArgument) << key;
    }
    EXPECT_EQ(keys(*storage_), Keys{});
}

TEST_P(StorageConformance, TakesUnusualButGoodKeys) {
    Keys good{" ", "...", "..a", "a b", "%41", "#?&", "日本/語", std::string(255, 'a')};
    std::string longest;
    for (int i = 0; i < 4; ++i) {
        longest += std::string(i < 3 ? 255 : 256 - 0, static_cast<char>('p' + i)) + "/";
    }
    longest.resize(1023);
    good.push_back(longest);
    for (const std::string& key : good) {
        EXPECT_TRUE(storage_->put(key, key)) << key;
        EXPECT_EQ(storage_->get(key, kAny).value(), key);
    }
    EXPECT_EQ(keys(*storage_).size(), good.size());
}

TEST_P(StorageConformance, ItsUriGivesTheSameObjects) {
    EXPECT_TRUE(storage_->put("k", "text"));
    const auto again = get_storage(storage_->uri(), {.reserve = Bytes(0)});
    ASSERT_TRUE(again) << again.error().to_string();
    EXPECT_EQ((*again)->get("k", kAny).value(), "text");
}

TEST_P(StorageConformance, ReadersSeeOneWholeObjectWhileWritersReplaceIt) {
    const std::string first(100'000, 'a');
    const std::string second(50'000, 'b');
    EXPECT_TRUE(storage_->put("deep/k", first));
    std::vector<std::jthread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 20; ++i) {
                EXPECT_TRUE(storage_->put("deep/k", t == 0 ? first : second));
                EXPECT_TRUE(storage_->put("deep/other/" + std::to_string(t), "x"));
                EXPECT_TRUE(storage_->remove("deep/other/" + std::to_string(t)));
            }
        });
        threads.emplace_back([&] {
            for (int i = 0; i < 40; ++i) {
                const auto got = storage_->get("deep/k", kAny);
                ASSERT_TRUE(got) << got.error().to_string();
                EXPECT_TRUE(*got == first || *got == second);
            }
        });
    }
    threads.clear();
    EXPECT_EQ(keys(*storage_), Keys{"deep/k"});
}

template <class B>
std::unique_ptr<Backend> make() {
    return std::make_unique<B>();
}

INSTANTIATE_TEST_SUITE_P(
    Backends,
    StorageConformance,
    ::testing::Values(BackendRow{"File", make<FileBackend>}, BackendRow{"Path", make<PathBackend>}),
    [](const auto& row) { return row.param.name; }
);

TEST(GetStorage, NamesTheSchemesItKnows) {
    for (const char* uri : {"s3://bucket/prefix", "gs://bucket", "http://host/x", "FILE:///x"}) {
        const auto refused = get_storage(uri);
        ASSERT_FALSE(refused) << uri;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(refused.error().advice.find("file://"), std::string::npos);
    }
}

TEST(GetStorage, RefusesBadFileUris) {
    for (const std::string& uri : Keys{
             "",
             "file://",
             "file://host/folder",
             "file://folder",
             "file:///a%",
             "file:///a%4",
             "file:///a%zz",
             "file:///a%00",
             std::string("a\0b", 3)
         }) {
        const auto refused = get_storage(uri);
        ASSERT_FALSE(refused) << uri;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument) << uri;
    }
}

TEST(GetStorage, DecodesFileUris) {
    const fakes::TempFolder folder;
    const std::string path = folder.path().native();
    EXPECT_TRUE(get_storage("file://localhost" + path + "/a%20b"));
    EXPECT_TRUE(fs::is_directory(folder.path() / "a b"));
}

TEST(FileStorage, NeverFollowsLinksOutOfItsFolder) {
    const fakes::TempFolder folder;
    fs::create_directory(folder.path() / "outside");
    std::ofstream(folder.path() / "outside/secret") << "secret";
    const auto storage = get_storage((folder.path() / "root").native(), {}).value();
    fs::create_directory_symlink(folder.path() / "outside", folder.path() / "root/link");
    fs::create_symlink(folder.path() / "outside/secret", folder.path() / "root/file");
    EXPECT_EQ(storage->get("link/secret", kAny).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(storage->get("file", kAny).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(storage->stat("link/secret").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(storage->put("link/new", "x").error().code, ErrorCode::kConflict);
    EXPECT_TRUE(storage->remove("link/secret"));
    EXPECT_TRUE(fs::exists(folder.path() / "outside/secret"));
    EXPECT_FALSE(fs::exists(folder.path() / "outside/new"));
    EXPECT_EQ(keys(*storage), Keys{});
    // A put replaces the link itself.
    EXPECT_TRUE(storage->put("file", "mine"));
    EXPECT_EQ(storage->get("file", kAny).value(), "mine");
    std::ifstream outside(folder.path() / "outside/secret");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(outside), {}), "secret");
}

TEST(FileStorage, CannotHoldAKeyBelowAnother) {
    const fakes::TempFolder folder;
    const auto storage = get_storage(folder.path().native(), {}).value();
    EXPECT_TRUE(storage->put("a", "x"));
    EXPECT_EQ(storage->put("a/b", "x").error().code, ErrorCode::kConflict);
    EXPECT_TRUE(storage->put("c/d", "x"));
    EXPECT_EQ(storage->put("c", "x").error().code, ErrorCode::kConflict);
    EXPECT_EQ(storage->put(".nexa-tmp/x", "x").error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(keys(*storage), (Keys{"a", "c/d"}));
}

TEST(FileStorage, KeepsItsReserveOfTheDisk) {
    const fakes::TempFolder folder;
    const auto storage =
        get_storage(folder.path().native(), {.reserve = Bytes(std::int64_t{1} << 60U)}).value();
    const Status refused = storage->put("a", "x");
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(refused.error().message.find("disk full"), std::string::npos);
    EXPECT_EQ(keys(*storage), Keys{});
    EXPECT_EQ(folder.names(), Keys{".nexa-tmp"});
}

TEST(FileStorage, ThatCannotBeMadeIsAnError) {
    const fakes::TempFolder folder;
    std::ofstream(folder.path() / "file") << "x";
    EXPECT_FALSE(get_storage((folder.path() / "file").native()));
    EXPECT_FALSE(get_storage((folder.path() / "file/below").native()));
}

}  // namespace
}  // namespace nexa::storage
