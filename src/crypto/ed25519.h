// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/random.h"
#include "core/result.h"
#include "core/secrets.h"

struct evp_pkey_st;

namespace nexa::crypto {

/// The raw bytes of a signature.
using Ed25519Signature = std::array<std::uint8_t, 64>;

/// An Ed25519 public key (RFC 8032). A value: copied and compared freely.
class Ed25519PublicKey {
public:
    static constexpr std::size_t kSize = 32;
    using Raw = std::array<std::uint8_t, kSize>;

    explicit Ed25519PublicKey(const Raw& raw) : raw_(raw) {}
    /// Errors of all four: kMalformed (not 32 bytes, or not their hex, base64 or PEM). That the
    /// bytes are a point of the curve is seen by verify() alone.
    static Result<Ed25519PublicKey> from_raw(std::string_view bytes);
    static Result<Ed25519PublicKey> from_hex(std::string_view text);
    static Result<Ed25519PublicKey> from_base64(std::string_view text);
    static Result<Ed25519PublicKey> from_pem(std::string_view text);

    const Raw& raw() const { return raw_; }
    std::string to_hex() const;
    std::string to_base64() const;
    /// SubjectPublicKeyInfo: what `openssl pkey -pubin` and Python's cryptography read.
    std::string to_pem() const;
    /// The first 16 hex digits of the SHA-256 of the raw key: names a key, proves nothing.
    std::string key_id() const;

    /// Whether `signature` (64 raw bytes) is this key's over `message`.
    /// Errors: kUnauthenticated ("signature does not verify"), also for a signature of another
    /// length.
    Status verify(std::string_view message, std::string_view signature) const;

    friend bool operator==(const Ed25519PublicKey&, const Ed25519PublicKey&) = default;

private:
    Raw raw_;
};

/// An Ed25519 private key. Moves only; its memory is wiped when it goes. Signing is thread-safe.
class Ed25519PrivateKey {
public:
    static constexpr std::size_t kSeedSize = 32;

    static Ed25519PrivateKey generate(Random& random);
    /// Errors: kMalformed (not 32 bytes).
    static Result<Ed25519PrivateKey> from_seed(std::string_view seed);
    /// Unencrypted PKCS#8. Errors: kMalformed (not PEM, encrypted, or another kind of key).
    static Result<Ed25519PrivateKey> from_pem(std::string_view text);

    /// Reads a PEM file. Blocking. Errors: kNotFound; kPermissionDenied (group or others may touch
    /// the file, or we may not read it); kMalformed; kUnavailable (input or output fails).
    static Result<Ed25519PrivateKey> load(const std::filesystem::path& path);
    /// The same; where there is no file, makes a key and stores it with mode 0600. The file appears
    /// whole and on disk or not at all, and of several callers at once all get the key of the
    /// first. Blocking. The folder must exist. Errors: those of load(), kUnavailable also for a
    /// full disk.
    static Result<Ed25519PrivateKey> load_or_create(
        const std::filesystem::path& path, Random& random
    );

    Ed25519PrivateKey(Ed25519PrivateKey&&) noexcept = default;
    Ed25519PrivateKey& operator=(Ed25519PrivateKey&&) noexcept = default;

    const Ed25519PublicKey& public_key() const { return public_key_; }
    Ed25519Signature sign(std::string_view message) const;

    Secret seed() const;
    /// Unencrypted PKCS#8: what `openssl pkey` and Python's cryptography read.
    Secret to_pem() const;

private:
    struct FreeKey {
        void operator()(evp_pkey_st* key) const;
    };
    using Handle = std::unique_ptr<evp_pkey_st, FreeKey>;

    explicit Ed25519PrivateKey(Handle handle);

    Handle handle_;
    Ed25519PublicKey public_key_;
};

/// The 64 bytes as a view, for verify() and for encodings.
inline std::string_view bytes_of(const Ed25519Signature& signature) {
    return {reinterpret_cast<const char*>(signature.data()), signature.size()};
}

}  // namespace nexa::crypto
