// SPDX-License-Identifier: Apache-2.0
#include "net/file_response.h"

#include <sys/stat.h>

#include "core/file.h"
#include "net/server_test_internal.h"

namespace nexa::net {
namespace {

class FileResponseTest : public ServerTest {
protected:
    void SetUp() override {
        auto made = TemporaryDirectory::create(std::filesystem::temp_directory_path());
        ASSERT_TRUE(made);
        folder.emplace(std::move(*made));
        for (std::size_t i = 0; i < 3'000'000; ++i) {
            content.push_back(static_cast<char>('a' + (i * 7 + i / 1000) % 26));
        }
        ASSERT_TRUE(write_file_atomically(folder->path() / "data.bin", content));
        ASSERT_TRUE(write_file_atomically(folder->path() / "empty", ""));
        const auto serve = [this](Request request) { return send_file(std::move(request)); };
        start({{.path = "/files/{name...}", .auth = Auth::kPublic, .handler = serve}});
    }

    Task<Response> send_file(Request request) {
        FileOptions file_options{.etag = etag};
        if (request.head->query.find("download")) {
            file_options.download_name = "my \"file\".bin";
        }
        return file_response(
            pool, folder->path() / request.parameter("name"), file_options, request.head
        );
    }

    RawResponse range(std::string_view value, std::string_view more = "") {
        return RawClient(server->port())
            .ask(get("/files/data.bin", fmt::format("Range: {}\r\n{}", value, more)));
    }

    std::optional<TemporaryDirectory> folder;
    std::string content;
    std::string etag = "\"v1\"";
};

TEST_F(FileResponseTest, SendsTheWholeFile) {
    RawClient raw(server->port());
    const RawResponse whole = raw.ask(get("/files/data.bin?download"));
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body, content);
    EXPECT_TRUE(whole.has("etag: \"v1\"\r\n"));
    EXPECT_TRUE(whole.has("accept-ranges: bytes\r\n"));
    EXPECT_TRUE(whole.has("filename*=UTF-8''my%20%22file%22.bin\r\n"));
    EXPECT_EQ(raw.ask(get("/files/empty")).body, "");
    raw.send("HEAD /files/data.bin HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(raw.read_response(true).has("content-length: 3000000\r\n"));
    EXPECT_EQ(raw.ask(get("/files/missing")).status, 404);
    EXPECT_EQ(raw.ask(get("/files/")).status, 404);
}

TEST_F(FileResponseTest, SendsOneRange) {
    const RawResponse middle = range("bytes=1000-500000");
    EXPECT_EQ(middle.status, 206);
    EXPECT_EQ(middle.body, content.substr(1000, 499'001));
    EXPECT_TRUE(middle.has("content-range: bytes 1000-500000/3000000\r\n"));
    EXPECT_EQ(range("bytes=2999999-").body, content.substr(2'999'999));
    EXPECT_EQ(range("bytes=-3").body, content.substr(2'999'997));
    EXPECT_EQ(range("bytes=2999990-99999999").body, content.substr(2'999'990));
    EXPECT_EQ(range("bytes=-99999999").body.size(), content.size());
    EXPECT_EQ(range("bytes=0-0").body, content.substr(0, 1));
}

TEST_F(FileResponseTest, ARangeOutsideIs416AndAnUnreadableOneIsIgnored) {
    for (const char* outside : {"bytes=3000000-", "bytes=3000000-3000001", "bytes=-0"}) {
        const RawResponse response = range(outside);
        EXPECT_EQ(response.status, 416) << outside;
        EXPECT_TRUE(response.has("content-range: bytes */3000000\r\n")) << outside;
    }
    for (const char* ignored :
         {"bytes=5-4",
          "bytes=a-b",
          "bytes=",
          "bytes=-",
          "lines=1-2",
          "bytes=0-1,3-4",
          "bytes=99999999999999999999-"}) {
        EXPECT_EQ(range(ignored).status, 200) << ignored;
    }
}

TEST_F(FileResponseTest, IfRangeHoldsOnlyForTheSameBytes) {
    EXPECT_EQ(range("bytes=0-9", "If-Range: \"v1\"\r\n").status, 206);
    EXPECT_EQ(range("bytes=0-9", "If-Range: \"v0\"\r\n").status, 200);
    EXPECT_EQ(range("bytes=0-9", "If-Range: W/\"v1\"\r\n").status, 200);
    const std::string head = RawClient(server->port()).ask(get("/files/empty")).head;
    const std::size_t at = head.find("last-modified: ") + 15;
    const std::string date = head.substr(at, head.find("\r\n", at) - at);
    RawClient raw(server->port());
    EXPECT_EQ(raw.ask(get("/files/empty", "If-Modified-Since: " + date + "\r\n")).status, 304);
    EXPECT_EQ(range("bytes=0-9", "If-Range: Sun, 06 Nov 1994 08:49:37 GMT\r\n").status, 200);
}

TEST_F(FileResponseTest, AKnownTagIsNotSentAgain) {
    const auto status = [this](std::string_view tag) {
        return RawClient(server->port())
            .ask(get("/files/data.bin", fmt::format("If-None-Match: {}\r\n", tag)))
            .status;
    };
    EXPECT_EQ(status("\"v1\""), 304);
    EXPECT_EQ(status("\"v0\", W/\"v1\""), 304);
    EXPECT_EQ(status("*"), 304);
    EXPECT_EQ(status("\"v0\""), 200);
    EXPECT_EQ(status("\"v"), 200);
}

TEST_F(FileResponseTest, AWeakTagNeverJoinsRanges) {
    etag.clear();
    RawClient raw(server->port());
    const std::string head = raw.ask(get("/files/data.bin")).head;
    const std::size_t at = head.find("etag: ") + 6;
    const std::string tag = head.substr(at, head.find("\r\n", at) - at);
    EXPECT_TRUE(tag.starts_with("W/\""));
    EXPECT_EQ(range("bytes=0-9", "If-Range: " + tag + "\r\n").status, 200);
    EXPECT_EQ(raw.ask(get("/files/data.bin", "If-None-Match: " + tag + "\r\n")).status, 304);
}

TEST_F(FileResponseTest, FoldersAndFifosAreNotFound) {
    ASSERT_EQ(::mkfifo((folder->path() / "fifo").c_str(), 0600), 0);
    std::filesystem::create_directory(folder->path() / "folder");
    RawClient raw(server->port());
    EXPECT_EQ(raw.ask(get("/files/fifo")).status, 404);
    EXPECT_EQ(raw.ask(get("/files/folder")).status, 404);
}

TEST_F(FileResponseTest, AFileThatShrinksWhileSentBreaksOff) {
    RawClient raw(server->port());
    const std::string large(64'000'000, 'x');
    ASSERT_TRUE(write_file_atomically(folder->path() / "large", large));
    raw.send(get("/files/large"));
    raw.read_until("\r\n\r\n");
    std::filesystem::resize_file(folder->path() / "large", 1000);
    EXPECT_LT(raw.read_all().size(), large.size());
    EXPECT_EQ(wait_for_record(0).status, 499);
}

}  // namespace
}  // namespace nexa::net
