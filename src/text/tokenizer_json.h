// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "text/bpe_tokenizer.h"

namespace nexa::text {

/// Reads Hugging Face's tokenizer.json, the part of the format in which ids are byte-level BPE:
/// model BPE over the byte-level alphabet; pre_tokenizer ByteLevel, alone or after a Digits or
/// Split that isolates each digit; decoder ByteLevel; added tokens without stripping; merges in the
/// old ("a b") and the new (["a", "b"]) form. What changes no id (offsets, unk_token where every
/// byte has a token) is accepted and forgotten.
///
/// Errors: kMalformed if it is no JSON or not of that shape; kInvalidArgument for what is not
/// supported. Both name the field. Never gives ids other than Hugging Face's: it refuses instead.
Result<BpeTokenizer> read_tokenizer_json(std::string_view json);

/// The tokenizer in the same format, as Hugging Face's `save` lays it out. Reading it back gives an
/// equal vocabulary; Hugging Face's library gives the same ids from it.
std::string write_tokenizer_json(const BpeTokenizer& tokenizer);

}  // namespace nexa::text
