// SPDX-License-Identifier: Apache-2.0
#include "blob_place.h"

namespace nexa::nexad {

namespace {

storage::BucketStyle style_of(const std::string& name) {
    if (name == "path") {
        return storage::BucketStyle::kPath;
    }
    return name == "host" ? storage::BucketStyle::kHost : storage::BucketStyle::kAuto;
}

}  // namespace

Result<std::unique_ptr<BlobPlace>> BlobPlace::open(
    const Settings& settings,
    const StoragePaths& paths,
    const SecretManager& secrets,
    const Clock& clock,
    Random& random
) {
    std::unique_ptr<BlobPlace> place(new BlobPlace());
    if (settings.storage.url.empty()) {
        TRY(place->blobs_, storage::BlobStore::open(paths.root()));
        place->uploads_ = std::make_unique<storage::BlobUploads>(*place->blobs_, random);
        place->vault_ = storage::make_disk_vault(*place->blobs_, *place->uploads_);
        return place;
    }
    if (!settings.storage.url.starts_with("s3://") && !settings.storage.url.starts_with("gs://")) {
        return Error::invalid_argument("is neither s3:// nor gs:// and a bucket")
            .at("storage.url")
            .hint("without it everything lies in the folder dir");
    }
    const storage::BucketOptions bucket{
        .endpoint = settings.storage.endpoint,
        .public_endpoint = settings.storage.public_endpoint,
        .region = settings.storage.region,
        .style = style_of(settings.storage.style),
        .ca_file = settings.storage.ca_file,
        .credentials =
            [&secrets, url = settings.storage.url] {
                return storage::find_credentials(secrets, url);
            },
        .clock = &clock,
        .random = &random,
        .sleeper = &place->sleeper_,
    };
    TRY(place->bucket_, storage::get_storage(settings.storage.url, {.bucket = bucket}));
    Status reached =
        place->bucket_->list("blobs/", [](const storage::ObjectInfo&) { return false; });
    if (!reached) {
        return std::move(reached).error().while_doing("open " + settings.storage.url);
    }
    place->vault_ = storage::make_bucket_vault(*place->bucket_);
    return place;
}

}  // namespace nexa::nexad
