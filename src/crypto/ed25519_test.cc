// SPDX-License-Identifier: Apache-2.0
#include "crypto/ed25519.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/hex.h"
#include "fakes/proves.h"
#include "fakes/seeded_random.h"
#include "fakes/temp_folder.h"

namespace nexa::crypto {
namespace {

struct Rfc8032Row {
    const char* seed;
    const char* public_key;
    const char* message;
    const char* signature;
};
constexpr Rfc8032Row kRfc8032[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "b"
     "bd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0"
     "303dca179c138ac17ad9bef1177331a704"},
};
constexpr const char* kPrivatePem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIIM/5iQJI3udYux3WHUgkR6adZzsHRl1W32pAbltyj1C\n"
    "-----END PRIVATE KEY-----\n";
constexpr const char* kPublicPem =
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEA7Bcrk61eVjv0kyxw4SRQNMNUZ+8u/U1k6/gZaDRn4r8=\n"
    "-----END PUBLIC KEY-----\n";

Ed25519PrivateKey some_key(std::uint64_t seed = 1) {
    fakes::SeededRandom random(seed);
    return Ed25519PrivateKey::generate(random);
}

void write_file(const std::filesystem::path& path, std::string_view bytes, mode_t mode = 0600) {
    std::ofstream(path, std::ios::binary) << bytes;
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

TEST(Ed25519, GivesTheKeysAndSignaturesOfRfc8032) {
    for (const Rfc8032Row& row : kRfc8032) {
        const auto key = Ed25519PrivateKey::from_seed(from_hex(row.seed).value()).value();
        EXPECT_EQ(key.public_key().to_hex(), row.public_key);
        const std::string message = from_hex(row.message).value();
        const Ed25519Signature signature = key.sign(message);
        EXPECT_EQ(to_hex(bytes_of(signature)), row.signature);
        const auto public_key = Ed25519PublicKey::from_hex(row.public_key).value();
        EXPECT_TRUE(public_key.verify(message, bytes_of(signature)));
    }
}

TEST(Ed25519, RefusesEveryChangedBitOfMessageAndSignature) {
    NEXA_PROVES("P-66");
    const Ed25519PrivateKey key = some_key();
    const std::string message = "result of job 42";
    const Ed25519Signature made = key.sign(message);
    const std::string signature(bytes_of(made));
    const auto flipped = [](std::string bytes, std::size_t bit) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        return bytes;
    };
    for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
        EXPECT_FALSE(key.public_key().verify(flipped(message, bit), signature)) << bit;
    }
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
        const Status refused = key.public_key().verify(message, flipped(signature, bit));
        ASSERT_FALSE(refused) << bit;
        EXPECT_EQ(refused.error().code, ErrorCode::kUnauthenticated);
        EXPECT_EQ(refused.error().message, "signature does not verify");
    }
}

TEST(Ed25519, RefusesSignaturesOfAnotherLengthOrKey) {
    const Ed25519PrivateKey key = some_key();
    const std::string signature(bytes_of(key.sign("m")));
    EXPECT_FALSE(key.public_key().verify("m", ""));
    EXPECT_FALSE(key.public_key().verify("m", signature.substr(0, 63)));
    EXPECT_FALSE(key.public_key().verify("m", signature + "x"));
    EXPECT_FALSE(some_key(2).public_key().verify("m", signature));
    EXPECT_TRUE(key.public_key().verify("m", signature));
}

TEST(Ed25519, APublicKeyThatIsNoPointVerifiesNothing) {
    const auto no_point = Ed25519PublicKey::from_raw(std::string(32, '\xff')).value();
    EXPECT_EQ(
        no_point.verify("m", std::string(64, '\0')).error().code, ErrorCode::kUnauthenticated
    );
}

TEST(Ed25519PublicKey, HasOneTextOfEachForm) {
    const auto key = Ed25519PublicKey::from_hex(kRfc8032[3].public_key).value();
    EXPECT_EQ(key.to_base64(), "7Bcrk61eVjv0kyxw4SRQNMNUZ+8u/U1k6/gZaDRn4r8=");
    EXPECT_EQ(key.to_pem(), kPublicPem);
    EXPECT_EQ(key.key_id(), "5f9b247e2a654719");
    EXPECT_EQ(Ed25519PublicKey::from_base64(key.to_base64()).value(), key);
    EXPECT_EQ(Ed25519PublicKey::from_pem(key.to_pem()).value(), key);
}

TEST(Ed25519PublicKey, RefusesOtherTexts) {
    EXPECT_EQ(Ed25519PublicKey::from_raw("short").error().code, ErrorCode::kMalformed);
    EXPECT_FALSE(Ed25519PublicKey::from_hex(std::string(62, 'a')));
    EXPECT_FALSE(Ed25519PublicKey::from_hex(std::string(64, 'x')));
    EXPECT_FALSE(Ed25519PublicKey::from_base64("7Bcrk61e"));
    EXPECT_FALSE(Ed25519PublicKey::from_pem(""));
    EXPECT_FALSE(Ed25519PublicKey::from_pem(kPrivatePem));
    EXPECT_FALSE(Ed25519PublicKey::from_pem(std::string(100'000, '-')));
}

TEST(Ed25519PrivateKey, ReadsAndWritesPkcs8) {
    const auto key = Ed25519PrivateKey::from_pem(kPrivatePem).value();
    EXPECT_EQ(to_hex(key.seed().reveal()), kRfc8032[3].seed);
    EXPECT_EQ(key.to_pem().reveal(), kPrivatePem);
    EXPECT_EQ(key.public_key().to_pem(), kPublicPem);
}

TEST(Ed25519PrivateKey, RefusesOtherKeysAndTexts) {
    EXPECT_EQ(Ed25519PrivateKey::from_seed("short").error().code, ErrorCode::kMalformed);
    EXPECT_EQ(Ed25519PrivateKey::from_pem("no key").error().code, ErrorCode::kMalformed);
    EXPECT_FALSE(Ed25519PrivateKey::from_pem(kPublicPem));
    // An X25519 key: the same shape, another algorithm.
    EXPECT_FALSE(Ed25519PrivateKey::from_pem(
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIIM/5iQJI3udYux3WHUgkR6adZzsHRl1W32pAbltyj1C\n"
        "-----END PRIVATE KEY-----\n"
    ));
}

TEST(Ed25519PrivateKey, TwoGeneratedKeysDiffer) {
    SystemRandom random;
    const auto first = Ed25519PrivateKey::generate(random);
    const auto second = Ed25519PrivateKey::generate(random);
    EXPECT_NE(first.public_key(), second.public_key());
}

TEST(Ed25519KeyFile, IsMadeOnceWithMode0600AndReadEverAfter) {
    NEXA_PROVES("P-46");
    const fakes::TempFolder folder;
    const auto path = folder.path() / "worker.pem";
    fakes::SeededRandom random;
    const auto made = Ed25519PrivateKey::load_or_create(path, random).value();
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    EXPECT_EQ(status.st_nlink, 1U);
    const auto loaded = Ed25519PrivateKey::load_or_create(path, random).value();
    EXPECT_EQ(loaded.public_key(), made.public_key());
    EXPECT_EQ(folder.names(), std::vector<std::string>{"worker.pem"});
}

TEST(Ed25519KeyFile, ThatOthersMayReadOrWriteIsRefused) {
    const fakes::TempFolder folder;
    const auto path = folder.path() / "key.pem";
    fakes::SeededRandom random;
    for (const mode_t mode : {0640U, 0620U, 0604U, 0602U, 0610U, 0601U}) {
        write_file(path, kPrivatePem, mode);
        const auto refused = Ed25519PrivateKey::load_or_create(path, random);
        ASSERT_FALSE(refused) << mode;
        EXPECT_EQ(refused.error().code, ErrorCode::kPermissionDenied);
        EXPECT_NE(refused.error().advice.find("chmod 600"), std::string::npos);
    }
    write_file(path, kPrivatePem, 0400);
    EXPECT_TRUE(Ed25519PrivateKey::load_or_create(path, random));
}

TEST(Ed25519KeyFile, ThatHoldsNoKeyIsRefusedAndKept) {
    const fakes::TempFolder folder;
    const auto path = folder.path() / "key.pem";
    fakes::SeededRandom random;
    for (const std::string& text :
         {std::string(), std::string("garbage"), std::string(20'000, 'x')}) {
        write_file(path, text);
        const auto refused = Ed25519PrivateKey::load_or_create(path, random);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::kMalformed);
        EXPECT_NE(refused.error().message.find(path.native()), std::string::npos);
        EXPECT_EQ(std::filesystem::file_size(path), text.size());
    }
}

TEST(Ed25519KeyFile, ThatIsAFolderOrAPipeIsRefusedWithoutWaiting) {
    const fakes::TempFolder folder;
    fakes::SeededRandom random;
    std::filesystem::create_directory(folder.path() / "folder");
    EXPECT_EQ(
        Ed25519PrivateKey::load_or_create(folder.path() / "folder", random).error().code,
        ErrorCode::kMalformed
    );
    ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(
        Ed25519PrivateKey::load_or_create(folder.path() / "pipe", random).error().code,
        ErrorCode::kMalformed
    );
}

TEST(Ed25519KeyFile, InAFolderThatIsNotThereIsNotMade) {
    const fakes::TempFolder folder;
    fakes::SeededRandom random;
    const auto path = folder.path() / "missing" / "key.pem";
    EXPECT_EQ(Ed25519PrivateKey::load(path).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(Ed25519PrivateKey::load_or_create(path, random).error().code, ErrorCode::kNotFound);
}

TEST(Ed25519KeyFile, OfManyCallersAtOnceAllGetOneKey) {
    const fakes::TempFolder folder;
    const auto path = folder.path() / "key.pem";
    fakes::SeededRandom random;
    std::vector<std::string> ids(8);
    {
        std::vector<std::jthread> threads;
        for (std::string& id : ids) {
            threads.emplace_back([&] {
                id = Ed25519PrivateKey::load_or_create(path, random).value().public_key().to_hex();
            });
        }
    }
    for (const std::string& id : ids) {
        EXPECT_EQ(id, ids.front());
    }
    EXPECT_EQ(folder.names(), std::vector<std::string>{"key.pem"});
}

class Ed25519Interop : public ::testing::Test {
protected:
    void SetUp() override {
        write_file(folder_.path() / "message", message_);
        write_file(folder_.path() / "signature", bytes_of(key_.sign(message_)));
        write_file(folder_.path() / "public.pem", key_.public_key().to_pem());
        write_file(folder_.path() / "private.pem", key_.to_pem().reveal());
    }
    bool runs(const std::string& command) const {
        const std::string in_folder =
            fmt::format("cd {} && {} >out 2>&1", folder_.path().native(), command);
        return std::system(in_folder.c_str()) == 0;  // NOLINT(concurrency-mt-unsafe): one thread
    }
    std::string read(const char* name) const {
        std::ifstream file(folder_.path() / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    fakes::TempFolder folder_;
    Ed25519PrivateKey key_ = some_key(80);
    std::string message_ = "signed here, verified there";
};

TEST_F(Ed25519Interop, TheOpensslProgramVerifiesOursAndWeVerifyIts) {
    if (!runs("openssl version")) {
        GTEST_SKIP() << "no openssl program";
    }
    const std::string verify =
        "openssl pkeyutl -verify -pubin -inkey public.pem -rawin -in message -sigfile signature";
    EXPECT_TRUE(runs(verify)) << read("out");
    ASSERT_TRUE(runs("openssl pkeyutl -sign -inkey private.pem -rawin -in message -out theirs"));
    EXPECT_TRUE(key_.public_key().verify(message_, read("theirs")));
    write_file(folder_.path() / "message", message_ + "!");
    EXPECT_FALSE(runs(verify));
}

TEST_F(Ed25519Interop, PythonsCryptographyVerifiesOurs) {
    NEXA_PROVES("P-80");
    if (!runs("python3 -c 'import cryptography'")) {
        GTEST_SKIP() << "Python has no package cryptography";
    }
    write_file(folder_.path() / "verify.py", R"(
from cryptography.hazmat.primitives.serialization import load_pem_public_key
read = lambda name: open(name, "rb").read()
load_pem_public_key(read("public.pem")).verify(read("signature"), read("message"))
)");
    EXPECT_TRUE(runs("python3 verify.py")) << read("out");
    write_file(folder_.path() / "message", message_ + "!");
    EXPECT_FALSE(runs("python3 verify.py"));
}

}  // namespace
}  // namespace nexa::crypto
