// SPDX-License-Identifier: Apache-2.0
#include "storage/storage.h"

#include <atomic>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/sha256.h"
#include "fakes/object_server.h"
#include "fakes/proves.h"
#include "fakes/temp_folder.h"
#include "net/http_client.h"
#include "storage/bucket_client_internal.h"

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
    virtual StorageOptions options() { return {.reserve = Bytes(0)}; }
    /// False where the server's program is not installed.
    virtual bool is_there() const { return true; }
    /// What a server that stands in for the real one does not do.
    virtual bool has_conditions() const { return true; }
    virtual bool has_parts() const { return true; }
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

/// One server for all tests of the program, a bucket for each.
fakes::ObjectServer* server(const std::string& program) {
    static std::map<std::string, std::unique_ptr<fakes::ObjectServer>> servers;
    const auto [place, is_new] = servers.try_emplace(program);
    if (is_new) {
        place->second = fakes::ObjectServer::start(program);
    }
    return place->second.get();
}

class BucketBackend : public Backend {
public:
    explicit BucketBackend(const std::string& program) : server_(server(program)) {
        static int count = 0;
        name_ = "test-" + std::to_string(++count);
    }
    bool is_there() const override { return server_ != nullptr; }
    StorageOptions options() override {
        return {
            .bucket =
                {
                    .endpoint = server_->url(),
                    .credentials = []() -> Result<ObjectCredentials> {
                        return ObjectCredentials{
                            .key_id = fakes::ObjectServer::kKeyId,
                            .secret = Secret(fakes::ObjectServer::kSecret)
                        };
                    },
                    .clock = &clock_,
                    .random = &random_,
                    .sleeper = &sleeper_,
                    .part_size = kPartBytesMin,
                }
        };
    }

protected:
    fakes::ObjectServer* server_;
    std::string name_;
    SystemClock clock_;
    SystemRandom random_;
    SystemSleeper sleeper_{CancelToken()};
};

class S3Backend : public BucketBackend {
public:
    explicit S3Backend(const std::string& program) : BucketBackend(program) {
        if (server_ == nullptr) {
            return;
        }
        BucketClient client(
            {.name = name_, .scope = {}, .endpoint = Endpoint::parse(server_->url()).value()},
            options().bucket
        );
        const auto made = client.send({.method = net::Method::kPut});
        EXPECT_TRUE(made) << made.error().to_string();
    }
    std::string uri() const override { return "s3://" + name_; }
};

class MinioBackend : public S3Backend {
public:
    MinioBackend() : S3Backend("minio") {}
};

class VersityBackend : public S3Backend {
public:
    VersityBackend() : S3Backend("versitygw") {}
};

/// fake-gcs-server has neither the XML API's parts nor its conditions.
class GoogleBackend : public BucketBackend {
public:
    GoogleBackend() : BucketBackend("fake-gcs-server") {
        if (server_ == nullptr) {
            return;
        }
        net::blocking::HttpClient client(
            {}, RetryTools{.clock = clock_, .random = random_, .sleeper = sleeper_}
        );
        const auto made = client.send({
            .method = net::Method::kPost,
            .url = server_->url() + "/storage/v1/b?project=test",
            .body = R"({"name":")" + name_ + R"("})",
        });
        EXPECT_TRUE(made && made->is_success());
    }
    std::string uri() const override { return "gs://" + name_; }
    bool has_conditions() const override { return false; }
    bool has_parts() const override { return false; }
};

struct BackendRow {
    std::string name;
    std::unique_ptr<Backend> (*make)();
};

class StorageConformance : public ::testing::TestWithParam<BackendRow> {
protected:
    void SetUp() override {
        backend_ = GetParam().make();
        if (!backend_->is_there()) {
            ASSERT_FALSE(fakes::parts_are_required()) << GetParam().name << " is not installed";
            GTEST_SKIP() << "its server is not installed (./dev test does)";
        }
        auto opened = get_storage(backend_->uri(), backend_->options());
        ASSERT_TRUE(opened) << opened.error().to_string();
        storage_ = *std::move(opened);
    }

    std::unique_ptr<Backend> backend_;
    std::unique_ptr<Storage> storage_;
};

std::string pattern(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<char>(i * 7 / 5);
    }
    return bytes;
}

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
    const std::string large = pattern((std::size_t{2} << 20U) + 1);
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
    const auto again = get_storage(storage_->uri(), backend_->options());
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

TEST_P(StorageConformance, ReadsRanges) {
    ASSERT_TRUE(storage_->put("k", "0123456789"));
    const auto part = [&](const ByteRange& range) {
        auto got = storage_->get("k", kAny, range);
        return got ? *got : got.error().to_string();
    };
    EXPECT_EQ(part({.offset = 0, .length = 1}), "0");
    EXPECT_EQ(part({.offset = 3, .length = 4}), "3456");
    EXPECT_EQ(part({.offset = 7}), "789");
    EXPECT_EQ(part({.offset = 7, .length = 100}), "789");
    EXPECT_EQ(part({.offset = 9, .length = 1}), "9");
    EXPECT_EQ(part({.offset = 10}), "");
    EXPECT_EQ(part({.offset = 11, .length = 5}), "");
    EXPECT_EQ(part({.offset = 2, .length = 0}), "");
    const auto missing = storage_->get("missing", kAny, {.offset = 2, .length = 0});
    EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_P(StorageConformance, OfManyThatPutOnlyIfAbsentOneSucceeds) {
    if (!backend_->has_conditions()) {
        GTEST_SKIP() << "the stand-in has no conditions";
    }
    std::atomic<int> successes = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            const Status put =
                storage_->put("folder/once", std::to_string(i), {.only_if_absent = true});
            successes += put ? 1 : 0;
            EXPECT_TRUE(put || put.error().code == ErrorCode::kConflict) << put.error().to_string();
        });
    }
    threads.clear();
    EXPECT_EQ(successes, 1);
    const std::string winner = storage_->get("folder/once", kAny).value();
    EXPECT_FALSE(storage_->put("folder/once", "late", {.only_if_absent = true}));
    EXPECT_EQ(storage_->get("folder/once", kAny).value(), winner);
    EXPECT_TRUE(storage_->put("folder/once", "new"));
}

TEST_P(StorageConformance, AnUploadInPartsGoesOnWhereItWas) {
    if (!backend_->has_parts()) {
        GTEST_SKIP() << "the stand-in has no uploads in parts";
    }
    const std::string bytes = pattern((std::size_t{5} << 20U) + 1000);
    const std::string_view first = std::string_view(bytes).substr(0, std::size_t{5} << 20U);
    const std::string_view last = std::string_view(bytes).substr(first.size());
    const PartUpload upload = storage_->begin_upload("folder/a b+c").value();
    ASSERT_TRUE(storage_->put_part(upload, 1, "what is replaced"));
    ASSERT_TRUE(storage_->put_part(upload, 1, first));
    EXPECT_EQ(storage_->stat("folder/a b+c").error().code, ErrorCode::kNotFound);

    // A new process knows the upload's name alone.
    const auto again = get_storage(storage_->uri(), backend_->options()).value();
    const PartUpload known{.key = upload.key, .id = upload.id};
    auto parts = again->list_parts(known).value();
    ASSERT_EQ(parts.size(), 1U);
    EXPECT_EQ(parts[0].number, 1);
    EXPECT_EQ(parts[0].size, Bytes(static_cast<std::int64_t>(first.size())));
    parts.push_back(again->put_part(known, 3, last).value());
    EXPECT_EQ(
        again->put_part(known, kPartsMax + 1, last).error().code, ErrorCode::kInvalidArgument
    );
    EXPECT_EQ(
        again->complete_upload(known, std::vector{parts[1], parts[0]}).error().code,
        ErrorCode::kInvalidArgument
    );
    EXPECT_EQ(again->complete_upload(known, {}).error().code, ErrorCode::kInvalidArgument);
    const Status completed = again->complete_upload(known, parts);
    ASSERT_TRUE(completed) << completed.error().to_string();
    EXPECT_EQ(again->get("folder/a b+c", kAny).value(), bytes);
    EXPECT_EQ(again->get("folder/a b+c", kAny, {.offset = first.size()}).value(), last);
    EXPECT_EQ(again->list_parts(known).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(again->put_part(known, 1, "x").error().code, ErrorCode::kNotFound);
    EXPECT_EQ(keys(*storage_), Keys{"folder/a b+c"});
}

TEST_P(StorageConformance, AnUploadThatIsGivenUpLeavesNothing) {
    if (!backend_->has_parts()) {
        GTEST_SKIP() << "the stand-in has no uploads in parts";
    }
    const PartUpload upload = storage_->begin_upload("k").value();
    ASSERT_TRUE(storage_->put_part(upload, 1, "x"));
    EXPECT_TRUE(storage_->abort_upload(upload));
    EXPECT_TRUE(storage_->abort_upload(upload));
    EXPECT_EQ(storage_->list_parts(upload).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(keys(*storage_), Keys{});
    const PartUpload odd{.key = "k", .id = "../../etc"};
    EXPECT_FALSE(storage_->put_part(odd, 1, "x"));
}

TEST_P(StorageConformance, PutsWhatIsLargerThanAPart) {
    if (!backend_->has_parts()) {
        GTEST_SKIP() << "the stand-in has no uploads in parts";
    }
    for (const std::size_t more : {std::size_t{0}, std::size_t{1}}) {
        const std::string bytes = pattern((std::size_t{10} << 20U) + more);
        const Status put = storage_->put("large", bytes);
        ASSERT_TRUE(put) << put.error().to_string();
        EXPECT_EQ(storage_->get("large", kAny).value(), bytes);
    }
    EXPECT_EQ(keys(*storage_), Keys{"large"});
}

TEST_P(StorageConformance, LinksWorkForStrangersAndForNothingElse) {
    NEXA_PROVES("A-17");
    if (!storage_->has_links()) {
        EXPECT_EQ(storage_->presign(GetLink{.key = "k"}).error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(storage_->presign(PutLink{.key = "k"}).error().code, ErrorCode::kInvalidArgument);
        return;
    }
    const SystemClock clock;
    SystemRandom random;
    SystemSleeper sleeper{CancelToken()};
    net::blocking::HttpClient stranger(
        {}, RetryTools{.clock = clock, .random = random, .sleeper = sleeper}
    );
    const auto sent = [&](net::Method method, const PresignedRequest& link, std::string body = "") {
        net::HttpRequest request{.method = method, .url = link.url, .body = std::move(body)};
        for (const auto& [name, value] : link.headers) {
            request.headers.add(name, value);
        }
        return stranger.send(request).value();
    };
    const std::string key = "folder/a b+c=d&日本";
    const auto put = storage_->presign(PutLink{.key = key}).value();
    EXPECT_TRUE(sent(net::Method::kPut, put, "by a link").is_success());
    EXPECT_EQ(storage_->get(key, kAny).value(), "by a link");
    const auto get = storage_->presign(GetLink{.key = key}).value();
    EXPECT_EQ(sent(net::Method::kGet, get).body, "by a link");
    EXPECT_EQ(get.url.find(fakes::ObjectServer::kSecret), std::string::npos);
    for (const auto expires : {std::chrono::seconds(0), kPresignMax + std::chrono::seconds(1)}) {
        EXPECT_FALSE(storage_->presign(GetLink{.key = key, .expires = expires}));
    }
    if (storage_->checks_content().value()) {
        // The stand-in for Google checks no signatures.
        PresignedRequest bent = get;
        bent.url.back() = bent.url.back() == '0' ? '1' : '0';
        EXPECT_EQ(sent(net::Method::kGet, bent).status, 403);
        EXPECT_EQ(sent(net::Method::kPut, get, "x").status, 403);
        const auto only =
            storage_->presign(PutLink{.key = key, .content = nexa::sha256("these")}).value();
        EXPECT_FALSE(sent(net::Method::kPut, only, "those").is_success());
        EXPECT_EQ(storage_->get(key, kAny).value(), "by a link");
        EXPECT_TRUE(sent(net::Method::kPut, only, "these").is_success());
        EXPECT_EQ(storage_->get(key, kAny).value(), "these");
    }
}

template <class B>
std::unique_ptr<Backend> make() {
    return std::make_unique<B>();
}

INSTANTIATE_TEST_SUITE_P(
    Backends,
    StorageConformance,
    ::testing::Values(
        BackendRow{"File", make<FileBackend>},
        BackendRow{"Path", make<PathBackend>},
        BackendRow{"Minio", make<MinioBackend>},
        BackendRow{"Versity", make<VersityBackend>},
        BackendRow{"Google", make<GoogleBackend>}
    ),
    [](const auto& row) { return row.param.name; }
);

TEST(GetStorage, NamesTheSchemesItKnows) {
    for (const char* uri : {"az://bucket/prefix", "http://host/x", "FILE:///x"}) {
        const auto refused = get_storage(uri);
        ASSERT_FALSE(refused) << uri;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_NE(refused.error().advice.find("file://, s3://, gs://"), std::string::npos);
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
    EXPECT_EQ(storage->put(".nexa-uploads/x", "x").error().code, ErrorCode::kInvalidArgument);
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
