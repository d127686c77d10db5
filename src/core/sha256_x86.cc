// SPDX-License-Identifier: Apache-2.0
#include "core/check.h"
#include "core/sha256_internal.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

namespace nexa::internal {

bool has_sha_ni() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) {
        return false;
    }
    const bool sse41 = (c & bit_SSE4_1) != 0;
    const bool ssse3 = (c & bit_SSSE3) != 0;
    return sse41 && ssse3 && __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}

#define NEXA_SHA_NI __attribute__((target("sha,sse4.1,ssse3")))

namespace {

/// The state in the order that the instructions want: words a b e f, and c d g h.
struct Halves {
    __m128i abef;
    __m128i cdgh;
};

NEXA_SHA_NI inline void four_rounds(Halves& s, __m128i w, std::size_t group) {
    const auto* constants = reinterpret_cast<const __m128i*>(&kSha256Rounds[4 * group]);
    const __m128i sum = _mm_add_epi32(w, _mm_load_si128(constants));
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, sum);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(sum, 0x0e));
}

/// Four words of the message schedule from the 16 before them, oldest first.
NEXA_SHA_NI inline __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
    const __m128i seven_back = _mm_alignr_epi8(w3, w2, 4);
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), seven_back), w3);
}

NEXA_SHA_NI inline __m128i load_words(const std::byte* bytes) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)), swap);
}

}  // namespace

NEXA_SHA_NI void compress_sha_ni(std::uint32_t* state, const std::byte* blocks, std::size_t count) {
    auto* const words = reinterpret_cast<__m128i*>(state);
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(words), 0xb1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(words + 1), 0x1b);
    Halves s{_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};

    for (; count > 0; --count, blocks += 64) {
        const Halves before = s;
        __m128i w0 = load_words(blocks);
        __m128i w1 = load_words(blocks + 16);
        __m128i w2 = load_words(blocks + 32);
        __m128i w3 = load_words(blocks + 48);
        for (std::size_t group = 0;; group += 4) {
            four_rounds(s, w0, group);
            four_rounds(s, w1, group + 1);
            four_rounds(s, w2, group + 2);
            four_rounds(s, w3, group + 3);
            if (group == 12) {
                break;
            }
            w0 = next_words(w0, w1, w2, w3);
            w1 = next_words(w1, w2, w3, w0);
            w2 = next_words(w2, w3, w0, w1);
            w3 = next_words(w3, w0, w1, w2);
        }
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }

    const __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);
    const __m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    _mm_storeu_si128(words, _mm_blend_epi16(feba, dchg, 0xf0));
    _mm_storeu_si128(words + 1, _mm_alignr_epi8(dchg, feba, 8));
}

}  // namespace nexa::internal

#else

namespace nexa::internal {

bool has_sha_ni() {
    return false;
}

void compress_sha_ni(std::uint32_t*, const std::byte*, std::size_t) {
    NEXA_CHECK(has_sha_ni());
}

}  // namespace nexa::internal

#endif
