// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace nexa::storage {

/// An element of an XML answer; attributes are left out.
struct XmlElement {
    std::string name;  ///< without a namespace's prefix
    std::string text;  ///< its own, without that of its children
    std::vector<XmlElement> children;

    /// The first child of that name; null if there is none.
    const XmlElement* child(std::string_view child_name) const;
    /// The text of that child; empty if there is none.
    std::string_view text_of(std::string_view child_name) const;
};

/// The document's root. Refuses what no store sends and what could cost us dearly: a document type
/// (so no entities of its own), more than 16 levels, more than 100,000 elements.
/// Errors: kMalformed.
Result<XmlElement> parse_xml(std::string_view text);

/// For the text of an element that we write.
std::string xml_escaped(std::string_view text);

}  // namespace nexa::storage
