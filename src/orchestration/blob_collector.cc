// SPDX-License-Identifier: Apache-2.0
#include "orchestration/blob_collector.h"

#include <utility>
#include <vector>

#include "core/log.h"

namespace nexa::orchestration {

namespace {

constexpr int kBatch = 100;
constexpr std::size_t kAdoptedAtOnce = 500;

Status adopt(db::Writer& writer, std::vector<storage::BlobInfo> blobs) {
    return writer.run([&](db::Tx& tx) -> Status {
        for (const storage::BlobInfo& blob : blobs) {
            TRY_STATUS(blob_registry::adopt(tx, blob.digest.prefixed(), blob.size.value()));
        }
        return {};
    });
}

/// Blocks: on a thread of the blobs' pool.
Status adopt_all(storage::BlobVault& vault, db::Writer& writer) {
    std::vector<storage::BlobInfo> found;
    Status adopted;
    TRY_STATUS(vault.list([&](const storage::BlobInfo& blob) {
        found.push_back(blob);
        if (found.size() == kAdoptedAtOnce) {
            adopted = adopt(writer, std::exchange(found, {}));
        }
        return adopted.has_value();
    }));
    TRY_STATUS(std::move(adopted));
    return adopt(writer, std::move(found));
}

}  // namespace

net::Task<protocol::StorageView> BlobCollector::look() {
    auto look = [ages = options_.ages](db::Tx& tx) { return blob_registry::count(tx, ages); };
    CO_TRY(const BlobCounts counts, co_await with_.backend.read(std::move(look)));
    co_return protocol::StorageView{
        .blobs = counts.blobs,
        .bytes = counts.bytes,
        .unused_blobs = counts.unused_blobs,
        .unused_bytes = counts.unused_bytes,
        .collectable_blobs = counts.collectable_blobs,
        .collectable_bytes = counts.collectable_bytes,
    };
}

net::Task<std::optional<std::int64_t>> BlobCollector::collect_one(std::string digest) {
    CO_TRY(const Sha256Digest parsed, Sha256Digest::parse(digest));
    auto begin = [digest, ages = options_.ages](db::Tx& tx) {
        return blob_registry::begin_collecting(tx, digest, ages);
    };
    CO_TRY(const auto bytes, co_await with_.backend.write(std::move(begin)));
    if (!bytes) {
        co_return std::nullopt;
    }
    auto remove = [&vault = with_.blobs, parsed] { return vault.remove(parsed); };
    const Status removed = co_await net::run_on(with_.blob_pool, std::move(remove));
    if (!removed && removed.error().code != ErrorCode::kNotFound) {
        co_return removed.error();
    }
    auto forget = [digest](db::Tx& tx) { return blob_registry::forget(tx, digest); };
    CO_TRY_STATUS(co_await with_.backend.write(std::move(forget)));
    co_return bytes;
}

net::Task<protocol::CollectedView> BlobCollector::collect() {
    protocol::CollectedView collected;
    while (true) {
        auto list = [ages = options_.ages](db::Tx& tx) {
            return blob_registry::list_unused(tx, ages, kBatch);
        };
        CO_TRY(const auto digests, co_await with_.backend.read(std::move(list)));
        const std::int64_t before = collected.blobs;
        for (const std::string& digest : digests) {
            CO_TRY(const auto bytes, co_await collect_one(digest));
            collected.blobs += bytes ? 1 : 0;
            collected.bytes += bytes.value_or(0);
        }
        if (collected.blobs == before) {
            co_return collected;  // none is left, or others are at them
        }
    }
}

net::Task<void> BlobCollector::adopt_strays() {
    auto adopt = [&vault = with_.blobs, &writer = with_.backend.writer] {
        return adopt_all(vault, writer);
    };
    co_return co_await net::run_on(with_.blob_pool, std::move(adopt));
}

net::Task<void> BlobCollector::watch() {
    constexpr std::chrono::hours kStraysEvery{24};
    const Logger log = get_logger("storage");
    CO_TRY_STATUS(co_await net::sleep_for(options_.first_after));
    std::chrono::milliseconds until_strays{0};
    while (true) {
        if (until_strays <= std::chrono::milliseconds::zero()) {
            if (const Status adopted = co_await adopt_strays(); !adopted) {
                log.warning("cannot list the blobs", {{"error", adopted.error().to_string()}});
            }
            until_strays = kStraysEvery;
        }
        const auto collected = co_await collect();
        if (!collected) {
            log.warning("cannot remove blobs", {{"error", collected.error().to_string()}});
        } else if (collected->blobs > 0) {
            log.info(
                "removed blobs that no artifact names",
                {{"blobs", collected->blobs}, {"bytes", collected->bytes}}
            );
        }
        until_strays -= options_.every;
        CO_TRY_STATUS(co_await net::sleep_for(options_.every));
    }
}

}  // namespace nexa::orchestration
