// SPDX-License-Identifier: Apache-2.0
#include "core/storage_paths.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fakes/proves.h"

namespace nexa {
namespace {

const std::string kDigest = "ab" + std::string(62, '0');

std::vector<std::string> all_paths(const StoragePaths& paths) {
    std::vector<std::string> all{
        paths.blobs(),
        paths.blob(kDigest).value(),
        paths.jobs(),
        paths.job("job_1").value(),
        paths.runs(),
        paths.run("run-1").value(),
        paths.run_manifest("run-1").value(),
        paths.logs(),
        paths.temporary(),
        paths.database(),
        paths.keys(),
        paths.worker(),
        paths.worker_keys(),
        paths.worker_jobs(),
        paths.worker_job("job_1").value(),
        paths.worker_blobs(),
        paths.worker_blob(kDigest).value(),
        paths.worker_outbox(),
        paths.worker_answers(),
    };
    for (const ArtifactFolder folder :
         {ArtifactFolder::kDatasets,
          ArtifactFolder::kDistill,
          ArtifactFolder::kCheckpoints,
          ArtifactFolder::kEvals,
          ArtifactFolder::kDeployments}) {
        all.push_back(paths.artifacts(folder));
        all.push_back(paths.artifact(folder, "a.1").value());
    }
    return all;
}

// What earlier versions have written must be found again: change a line only with a migration.
TEST(StoragePaths, AreTheGoldenOnes) {
    NEXA_PROVES("A-82");
    const std::vector<std::string> golden{
        "/srv/nexa/blobs/sha256",
        "/srv/nexa/blobs/sha256/ab/" + kDigest,
        "/srv/nexa/jobs",
        "/srv/nexa/jobs/job_1",
        "/srv/nexa/runs",
        "/srv/nexa/runs/run-1",
        "/srv/nexa/runs/run-1/manifest.json",
        "/srv/nexa/logs",
        "/srv/nexa/tmp",
        "/srv/nexa/db/nexa.db",
        "/srv/nexa/keys",
        "/srv/nexa/worker",
        "/srv/nexa/worker/keys",
        "/srv/nexa/worker/jobs",
        "/srv/nexa/worker/jobs/job_1",
        "/srv/nexa/worker/blobs/sha256",
        "/srv/nexa/worker/blobs/sha256/ab/" + kDigest,
        "/srv/nexa/worker/outbox",
        "/srv/nexa/worker/answers",
        "/srv/nexa/artifacts/datasets",
        "/srv/nexa/artifacts/datasets/a.1",
        "/srv/nexa/artifacts/distill",
        "/srv/nexa/artifacts/distill/a.1",
        "/srv/nexa/artifacts/checkpoints",
        "/srv/nexa/artifacts/checkpoints/a.1",
        "/srv/nexa/artifacts/evals",
        "/srv/nexa/artifacts/evals/a.1",
        "/srv/nexa/artifacts/deployments",
        "/srv/nexa/artifacts/deployments/a.1",
    };
    EXPECT_EQ(all_paths(StoragePaths("/srv/nexa")), golden);
    EXPECT_EQ(all_paths(StoragePaths("/srv/./x/../nexa")), golden);
}

TEST(StoragePaths, AllMoveWithTheRoot) {
    NEXA_PROVES("A-16");
    const std::vector<std::string> here = all_paths(StoragePaths("/one"));
    const std::vector<std::string> there = all_paths(StoragePaths("/two/deep"));
    ASSERT_EQ(here.size(), there.size());
    for (std::size_t i = 0; i < here.size(); ++i) {
        ASSERT_TRUE(here[i].starts_with("/one/")) << here[i];
        EXPECT_EQ(there[i], "/two/deep" + here[i].substr(4));
    }
}

TEST(StoragePaths, RefuseIdsThatEscapeTheRoot) {
    NEXA_PROVES("A-16");
    const StoragePaths paths("/srv/nexa");
    const std::vector<std::string> bad{
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "/etc",
        ".hidden",
        "-rf",
        "_x",
        "a b",
        "a\n",
        std::string("a\0b", 3),
        std::string(129, 'a'),
        "é"
    };
    for (const std::string& id : bad) {
        EXPECT_EQ(paths.job(id).error().code, ErrorCode::kInvalidArgument) << id;
        EXPECT_FALSE(paths.run(id));
        EXPECT_FALSE(paths.run_manifest(id));
        EXPECT_FALSE(paths.worker_job(id));
        EXPECT_FALSE(paths.artifact(ArtifactFolder::kEvals, id));
    }
    EXPECT_TRUE(paths.job(std::string(128, 'a')));
    EXPECT_TRUE(paths.job("a..b"));
}

TEST(StoragePaths, RefuseDigestsThatAreNone) {
    const StoragePaths paths("/srv/nexa");
    const std::vector<std::string> bad{
        "",
        "sha256:" + kDigest,
        kDigest + "0",
        kDigest.substr(1),
        "AB" + kDigest.substr(2),
        "..",
        "g" + kDigest.substr(1)
    };
    for (const std::string& digest : bad) {
        EXPECT_EQ(paths.blob(digest).error().code, ErrorCode::kInvalidArgument) << digest;
        EXPECT_FALSE(paths.worker_blob(digest));
    }
    const Sha256Digest parsed = Sha256Digest::parse(kDigest).value();
    EXPECT_EQ(paths.blob(parsed), paths.blob(kDigest).value());
    EXPECT_EQ(paths.worker_blob(parsed), paths.worker_blob(kDigest).value());
}

}  // namespace
}  // namespace nexa
