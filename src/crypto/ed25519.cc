// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.h"

#include <algorithm>
#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/check.h"
#include "core/sha256.h"
#include "crypto/base64.h"
#include "crypto/hex.h"
#include "crypto/key_file_internal.h"
#include "crypto/wiped_bytes_internal.h"

namespace nexa::crypto {
namespace {

struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreePublicKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeDigest>;
using PublicKeyHandle = std::unique_ptr<EVP_PKEY, FreePublicKey>;

/// Without a callback OpenSSL asks for the passphrase on the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Bio reader_of(std::string_view text) {
    Bio bio(BIO_new_mem_buf(text.empty() ? "" : text.data(), static_cast<int>(text.size())));
    NEXA_CHECK(bio != nullptr);
    return bio;
}

std::string_view written_to(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

const unsigned char* octets(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

PublicKeyHandle handle_of(const Ed25519PublicKey::Raw& raw) {
    return PublicKeyHandle(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw.data(), raw.size())
    );
}

Ed25519PublicKey::Raw raw_public_key(const EVP_PKEY* key) {
    Ed25519PublicKey::Raw raw{};
    std::size_t size = raw.size();
    NEXA_CHECK(EVP_PKEY_get_raw_public_key(key, raw.data(), &size) == 1 && size == raw.size());
    return raw;
}

constexpr std::size_t kPemBytesMax = 16 << 10;

}  // namespace

Result<Ed25519PublicKey> Ed25519PublicKey::from_raw(std::string_view bytes) {
    if (bytes.size() != kSize) {
        return Error::malformed("an Ed25519 public key has 32 bytes, not {}", bytes.size());
    }
    Raw raw{};
    std::ranges::copy(bytes, raw.begin());
    return Ed25519PublicKey(raw);
}

Result<Ed25519PublicKey> Ed25519PublicKey::from_hex(std::string_view text) {
    TRY(const std::string bytes, crypto::from_hex(text));
    return from_raw(bytes);
}

Result<Ed25519PublicKey> Ed25519PublicKey::from_base64(std::string_view text) {
    TRY(const std::string bytes, crypto::from_base64(text));
    return from_raw(bytes);
}

Result<Ed25519PublicKey> Ed25519PublicKey::from_pem(std::string_view text) {
    if (text.size() > kPemBytesMax) {
        return Error::malformed("a PEM text of {} bytes holds no Ed25519 key", text.size());
    }
    const Bio bio = reader_of(text);
    const PublicKeyHandle key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (key == nullptr || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
        return Error::malformed("the PEM text holds no Ed25519 public key");
    }
    return Ed25519PublicKey(raw_public_key(key.get()));
}

namespace {
std::string_view view_of(const Ed25519PublicKey::Raw& raw) {
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}
}  // namespace

std::string Ed25519PublicKey::to_hex() const {
    return crypto::to_hex(view_of(raw_));
}

std::string Ed25519PublicKey::to_base64() const {
    return crypto::to_base64(view_of(raw_));
}

std::string Ed25519PublicKey::to_pem() const {
    const PublicKeyHandle key = handle_of(raw_);
    const Bio bio(BIO_new(BIO_s_mem()));
    NEXA_CHECK(key != nullptr && bio != nullptr);
    NEXA_CHECK(PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1);
    return std::string(written_to(bio.get()));
}

std::string Ed25519PublicKey::key_id() const {
    return sha256(view_of(raw_)).hex().substr(0, 16);
}

Status Ed25519PublicKey::verify(std::string_view message, std::string_view signature) const {
    const PublicKeyHandle key = handle_of(raw_);
    const DigestContext context(EVP_MD_CTX_new());
    NEXA_CHECK(key != nullptr && context != nullptr);
    NEXA_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
    const int verified = EVP_DigestVerify(
        context.get(), octets(signature), signature.size(), octets(message), message.size()
    );
    if (verified != 1) {
        ERR_clear_error();
        return Error::unauthenticated("signature does not verify");
    }
    return {};
}

void Ed25519PrivateKey::FreeKey::operator()(evp_pkey_st* key) const {
    EVP_PKEY_free(key);  // wipes the private part
}

Ed25519PrivateKey::Ed25519PrivateKey(Handle handle)
    : handle_(std::move(handle)), public_key_(raw_public_key(handle_.get())) {}

Ed25519PrivateKey Ed25519PrivateKey::generate(Random& random) {
    WipedBytes seed(kSeedSize);
    random.fill(seed.span());
    auto key = from_seed(seed.view());
    NEXA_CHECK(key.has_value());
    return std::move(*key);
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::from_seed(std::string_view seed) {
    if (seed.size() != kSeedSize) {
        return Error::malformed("the seed of an Ed25519 key has 32 bytes, not {}", seed.size());
    }
    return Ed25519PrivateKey(
        Handle(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size()))
    );
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::from_pem(std::string_view text) {
    if (text.size() > kPemBytesMax) {
        return Error::malformed("a PEM text of {} bytes holds no Ed25519 key", text.size());
    }
    const Bio bio = reader_of(text);
    Handle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (key == nullptr || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
        return Error::malformed("the PEM text holds no unencrypted Ed25519 private key");
    }
    return Ed25519PrivateKey(std::move(key));
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::load(const std::filesystem::path& path) {
    TRY(const WipedBytes text, read_key_file(path));
    auto key = from_pem(text.view());
    if (!key) {
        return std::move(key).error().while_doing("read key file " + path.native());
    }
    return key;
}

Result<Ed25519PrivateKey> Ed25519PrivateKey::load_or_create(
    const std::filesystem::path& path, Random& random
) {
    auto loaded = load(path);
    if (loaded || loaded.error().code != ErrorCode::kNotFound) {
        return loaded;
    }
    Ed25519PrivateKey key = generate(random);
    const Status created = create_key_file(path, key.to_pem());
    if (created) {
        return key;
    }
    // Another process was first: its key is the one.
    return created.error().code == ErrorCode::kConflict ? load(path) : created.error();
}

Ed25519Signature Ed25519PrivateKey::sign(std::string_view message) const {
    const DigestContext context(EVP_MD_CTX_new());
    NEXA_CHECK(context != nullptr);
    NEXA_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, handle_.get()) == 1);
    Ed25519Signature signature{};
    std::size_t size = signature.size();
    const int made =
        EVP_DigestSign(context.get(), signature.data(), &size, octets(message), message.size());
    NEXA_CHECK(made == 1 && size == signature.size());
    return signature;
}

Secret Ed25519PrivateKey::seed() const {
    WipedBytes seed(kSeedSize);
    std::size_t size = seed.size();
    auto* const out = reinterpret_cast<unsigned char*>(seed.data());
    NEXA_CHECK(EVP_PKEY_get_raw_private_key(handle_.get(), out, &size) == 1 && size == kSeedSize);
    return Secret(seed.view());
}

Secret Ed25519PrivateKey::to_pem() const {
    const Bio bio(BIO_new(BIO_s_secmem()));
    NEXA_CHECK(bio != nullptr);
    const int written = PEM_write_bio_PKCS8PrivateKey(
        bio.get(), handle_.get(), nullptr, nullptr, 0, nullptr, nullptr
    );
    NEXA_CHECK(written == 1);
    return Secret(written_to(bio.get()));
}

}  // namespace nexa::crypto
