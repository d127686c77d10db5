// SPDX-License-Identifier: Apache-2.0
#include "storage/artifact.h"

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/canonical_json.h"
#include "fakes/proves.h"
#include "fakes/temp_folder.h"

namespace nexa::storage {
namespace {

namespace fs = std::filesystem;

using Names = std::vector<std::string>;

class ArtifactTest : public ::testing::Test {
protected:
    ArtifactTest() {
        write("model.safetensors", "weights");
        write("tokenizer/tokenizer.json", "{}");
        write("tokenizer.txt", "abc");
    }
    void write(const std::string& path, std::string_view bytes) const {
        const fs::path whole = folder_.path() / path;
        fs::create_directories(whole.parent_path());
        std::ofstream(whole, std::ios::binary) << bytes;
    }
    static ArtifactManifest about() {
        return {
            .kind = "checkpoint",
            .name = "tiny",
            .version = "2",
            .created_at = parse_rfc3339("2026-01-02T03:04:05.678Z").value(),
            .job_id = "job_1",
            .parents = {"ckpt_0"},
            .inputs = {{.uri = "file:///data.jsonl", .digest = sha256("data"), .size = Bytes(4)}},
            .config = {R"({"lr": 0.0010, "epochs": 3})"},
            .metrics = {R"({"loss":1.5})"},
        };
    }
    ArtifactManifest build() const { return build_manifest(folder_.path(), about()).value(); }

    fakes::TempFolder folder_;
};

TEST_F(ArtifactTest, ListsEveryFileInTheOrderOfPathBytes) {
    NEXA_PROVES("T-73 T-74 T-75 T-76");
    const ArtifactManifest manifest = build();
    ASSERT_EQ(manifest.files.size(), 3U);
    EXPECT_EQ(manifest.files[0].path, "model.safetensors");
    EXPECT_EQ(manifest.files[0].digest, sha256("weights"));
    EXPECT_EQ(manifest.files[0].size, Bytes(7));
    EXPECT_EQ(manifest.files[0].media_type, "application/vnd.safetensors");
    EXPECT_EQ(manifest.files[1].path, "tokenizer.txt");  // '.' sorts before '/'
    EXPECT_EQ(manifest.files[2].path, "tokenizer/tokenizer.json");
    EXPECT_EQ(manifest.job_id, "job_1");
    EXPECT_EQ(manifest.inputs[0].digest, sha256("data"));
}

TEST_F(ArtifactTest, DigestsAreThoseOfTheFormat) {
    const ArtifactManifest manifest = build();
    std::string raw;
    for (const char* bytes : {"weights", "abc", "{}"}) {
        const Sha256Digest digest = sha256(bytes);
        raw.append(reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size());
    }
    EXPECT_EQ(manifest.root_digest, sha256(raw));
    EXPECT_EQ(manifest.config_digest, sha256(R"({"epochs":3,"lr":0.001})"));

    // The hash can be computed by anyone with the text, a JSON canonicalizer and SHA-256.
    std::string text = manifest_text(manifest).value();
    const std::string member = R"("hash":")" + manifest.hash.prefixed() + R"(",)";
    const std::size_t at = text.find(member);
    ASSERT_NE(at, std::string::npos);
    text.erase(at, member.size());
    EXPECT_EQ(crypto::canonical_json(text).value(), text);
    EXPECT_EQ(manifest.hash, sha256(text));
}

TEST_F(ArtifactTest, WritesAndReadsTheManifestInItsFolder) {
    NEXA_PROVES("T-72");
    const ArtifactManifest manifest = build();
    ASSERT_TRUE(write_manifest(folder_.path(), manifest));
    const auto read = read_manifest(folder_.path());
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->hash, manifest.hash);
    EXPECT_EQ(read->created_at, manifest.created_at);
    EXPECT_EQ(read->parents, manifest.parents);
    EXPECT_EQ(manifest_text(*read).value(), manifest_text(manifest).value());
    // Neither the manifest nor its signature is a file of the artifact.
    write("model.sig", "signature");
    EXPECT_EQ(build().hash, manifest.hash);
    EXPECT_TRUE(verify_artifact(folder_.path(), *read));
}

TEST_F(ArtifactTest, TheSameFolderAndWordsGiveTheSameHash) {
    EXPECT_EQ(build().hash, build().hash);
    ArtifactManifest other = about();
    other.config.text = R"({ "epochs":3, "lr":1e-3 })";
    EXPECT_EQ(build_manifest(folder_.path(), other)->hash, build().hash);
    other.job_id = "job_2";
    EXPECT_NE(build_manifest(folder_.path(), other)->hash, build().hash);
    const ArtifactManifest before = build();
    write("tokenizer.txt", "abd");
    EXPECT_NE(build().root_digest, before.root_digest);
    EXPECT_NE(build().hash, before.hash);
}

TEST_F(ArtifactTest, NamesMissingExtraAndChangedFiles) {
    const ArtifactManifest manifest = build();
    EXPECT_TRUE(verify_artifact(folder_.path(), manifest));
    fs::remove(folder_.path() / "model.safetensors");
    write("tokenizer/tokenizer.json", "[]");
    write("a-new.bin", "x");
    write("tokenizer/z", "x");
    const ArtifactDifferences found = compare_artifact(folder_.path(), manifest).value();
    EXPECT_EQ(found.missing, Names{"model.safetensors"});
    EXPECT_EQ(found.extra, (Names{"a-new.bin", "tokenizer/z"}));
    EXPECT_EQ(found.changed, Names{"tokenizer/tokenizer.json"});
    EXPECT_EQ(
        found.to_string(),
        "1 missing (model.safetensors), 2 extra (a-new.bin, tokenizer/z), "
        "1 changed (tokenizer/tokenizer.json)"
    );
    const Status refused = verify_artifact(folder_.path(), manifest);
    EXPECT_EQ(refused.error().code, ErrorCode::kDataLoss);
    EXPECT_NE(refused.error().message.find("model.safetensors"), std::string::npos);
}

TEST_F(ArtifactTest, OneFlippedByteIsDetected) {
    NEXA_PROVES("T-77");
    const ArtifactManifest manifest = build();
    const std::string text = manifest_text(manifest).value();
    EXPECT_TRUE(parse_manifest(text));
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string flipped = text;
        flipped[i] = static_cast<char>(flipped[i] ^ 1);
        EXPECT_FALSE(parse_manifest(flipped)) << flipped.substr(i);
    }
    write("model.safetensors", "weightt");
    EXPECT_EQ(compare_artifact(folder_.path(), manifest)->changed, Names{"model.safetensors"});
}

TEST_F(ArtifactTest, AManyFilesMessageNamesTen) {
    const ArtifactManifest manifest = build();
    for (int i = 10; i < 22; ++i) {
        write("x" + std::to_string(i), "");
    }
    const std::string text = compare_artifact(folder_.path(), manifest)->to_string();
    EXPECT_NE(text.find("12 extra (x10, "), std::string::npos);
    EXPECT_TRUE(text.ends_with("x19, …)")) << text;
}

TEST_F(ArtifactTest, LinksAndSpecialFilesAreRefused) {
    const ArtifactManifest manifest = build();
    fs::create_symlink("/etc/passwd", folder_.path() / "link");
    const auto refused = build_manifest(folder_.path(), about());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(refused.error().message.find("'link'"), std::string::npos);
    EXPECT_EQ(compare_artifact(folder_.path(), manifest)->extra, Names{"link"});

    fs::remove(folder_.path() / "link");
    ASSERT_EQ(::mkfifo((folder_.path() / "pipe").c_str(), 0600), 0);
    EXPECT_FALSE(build_manifest(folder_.path(), about()));
    fs::remove(folder_.path() / "pipe");

    // The same bytes through a link are not the file.
    fs::rename(folder_.path() / "tokenizer.txt", folder_.path() / "model.sig");
    fs::create_symlink("model.sig", folder_.path() / "tokenizer.txt");
    EXPECT_EQ(compare_artifact(folder_.path(), manifest)->changed, Names{"tokenizer.txt"});

    // A linked folder is not walked into.
    fs::remove(folder_.path() / "tokenizer.txt");
    fs::rename(folder_.path() / "model.sig", folder_.path() / "tokenizer.txt");
    fs::create_directory_symlink("/etc", folder_.path() / "etc");
    EXPECT_EQ(compare_artifact(folder_.path(), manifest)->extra, Names{"etc"});
}

TEST_F(ArtifactTest, NamesThatNoManifestHoldsAreRefused) {
    for (const std::string& name : Names{"back\\slash", "new\nline", "no utf-8 \xff"}) {
        write(name, "x");
        EXPECT_EQ(
            build_manifest(folder_.path(), about()).error().code, ErrorCode::kInvalidArgument
        );
        fs::remove(folder_.path() / name);
    }
    EXPECT_TRUE(build_manifest(folder_.path(), about()));
}

TEST_F(ArtifactTest, ConfigAndMetricsAreJsonObjects) {
    for (const char* json : {"", "[]", "1", "{", R"({"a":1,"a":2})", "{} {}"}) {
        ArtifactManifest bad = about();
        bad.config.text = json;
        EXPECT_EQ(build_manifest(folder_.path(), bad).error().param, "config") << json;
        bad = about();
        bad.metrics.text = json;
        EXPECT_EQ(build_manifest(folder_.path(), bad).error().param, "metrics") << json;
    }
}

TEST_F(ArtifactTest, WhatCouldNotBeReadIsNotBuilt) {
    ArtifactManifest nameless = about();
    nameless.kind = "";
    EXPECT_EQ(build_manifest(folder_.path(), nameless).error().param, "kind");
    nameless = about();
    nameless.schema_version = 2;
    EXPECT_FALSE(build_manifest(folder_.path(), nameless));
}

TEST_F(ArtifactTest, AnEmptyFolderIsAnArtifactAndAMissingOneIsNone) {
    const fakes::TempFolder empty;
    const auto manifest = build_manifest(empty.path(), about());
    ASSERT_TRUE(manifest) << manifest.error().to_string();
    EXPECT_EQ(manifest->root_digest, sha256(""));
    EXPECT_TRUE(parse_manifest(manifest_text(*manifest).value()));
    const fs::path missing = empty.path() / "missing";
    EXPECT_EQ(build_manifest(missing, about()).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(read_manifest(missing).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(verify_artifact(missing, *manifest).error().code, ErrorCode::kNotFound);
}

/// `text` with `from` replaced by `to`, and the hash made to fit again.
std::string forged(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const std::size_t hash = text.find(R"("hash":"sha256:)");
    std::string without = text;
    without.erase(hash, 81);
    const std::string fresh = sha256(crypto::canonical_json(without).value()).prefixed();
    return text.replace(hash + 8, fresh.size(), fresh);
}

TEST_F(ArtifactTest, AForgedManifestWithAFittingHashIsStillChecked) {
    const std::string text = manifest_text(build()).value();
    EXPECT_TRUE(parse_manifest(forged(text, "tiny", "huge")));
    for (const char* path : {"../tokenizer.txt", "/tokenizer.txt", "tokenizer/../x", "a//b", ""}) {
        const auto refused = parse_manifest(forged(text, "tokenizer.txt", path));
        ASSERT_FALSE(refused) << path;
        EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
        EXPECT_EQ(refused.error().param, "files[1].path");
    }
    EXPECT_FALSE(parse_manifest(forged(text, "tokenizer.txt", "model.safetensors")));
    EXPECT_FALSE(parse_manifest(forged(text, "tokenizer.txt", "a")));
    EXPECT_EQ(
        parse_manifest(forged(text, sha256("abc").hex(), sha256("abd").hex())).error().param,
        "root_digest"
    );
    EXPECT_EQ(
        parse_manifest(forged(text, R"("epochs":3)", R"("epochs":4)")).error().param,
        "config_digest"
    );
    EXPECT_FALSE(parse_manifest(forged(text, R"("schema_version":1)", R"("schema_version":2)")));
}

TEST_F(ArtifactTest, MembersOfALaterVersionAreCoveredByTheHash) {
    const std::string text = manifest_text(build()).value();
    const std::string later = forged(text, R"("kind")", R"("future":[1],"kind")");
    EXPECT_TRUE(parse_manifest(later));
    std::string changed = later;
    changed.replace(changed.find("[1]"), 3, "[2]");
    EXPECT_EQ(parse_manifest(changed).error().param, "hash");
    // Signatures are added afterwards, so the hash leaves them out.
    std::string sealed = text;
    sealed.insert(1, R"("signatures":[],)");
    EXPECT_TRUE(parse_manifest(sealed));
}

TEST(Manifest, RefusesWhatIsNone) {
    for (const char* text : {"", "[]", "{}", "null", R"({"schema_version":1})"}) {
        EXPECT_FALSE(parse_manifest(text)) << text;
    }
}

}  // namespace
}  // namespace nexa::storage
