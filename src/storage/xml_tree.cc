// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <memory>

#include <expat.h>

#include "storage/xml_tree_internal.h"

namespace nexa::storage {
namespace {

constexpr std::size_t kDepthMax = 16;
constexpr std::size_t kElementsMax = 100'000;

struct FreeParser {
    void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};

/// Builds the tree from expat's events.
class Builder {
public:
    explicit Builder(XML_Parser parser) : parser_(parser) {
        XML_SetUserData(parser, this);
        XML_SetElementHandler(parser, &Builder::on_start, &Builder::on_end);
        XML_SetCharacterDataHandler(parser, &Builder::on_text);
        XML_SetStartDoctypeDeclHandler(parser, &Builder::on_doctype);
    }
    Builder(const Builder&) = delete;
    Builder& operator=(const Builder&) = delete;

    Result<XmlElement> parse(std::string_view text) {
        if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
            return Error::malformed("an XML answer of {} bytes is too large", text.size());
        }
        const auto status =
            XML_Parse(parser_, text.data(), static_cast<int>(text.size()), XML_TRUE);
        if (refusal_ != nullptr) {
            return Error::malformed("the XML answer {}", refusal_);
        }
        if (status != XML_STATUS_OK || root_.children.empty()) {
            return Error::malformed(
                "the answer is no XML: {} at byte {}",
                XML_ErrorString(XML_GetErrorCode(parser_)),
                XML_GetCurrentByteIndex(parser_)
            );
        }
        return std::move(root_.children.front());
    }

private:
    static void on_start(void* self, const XML_Char* name, const XML_Char** /*attributes*/) {
        static_cast<Builder*>(self)->start(name);
    }
    static void on_end(void* self, const XML_Char* /*name*/) {
        static_cast<Builder*>(self)->open_.pop_back();
    }
    static void on_text(void* self, const XML_Char* text, int length) {
        static_cast<Builder*>(self)->open_.back()->text.append(
            text, static_cast<std::size_t>(length)
        );
    }
    static void on_doctype(
        void* self, const XML_Char*, const XML_Char*, const XML_Char*, int /*has_subset*/
    ) {
        static_cast<Builder*>(self)->refuse("declares a document type");
    }

    void start(std::string_view name) {
        if (open_.size() > kDepthMax || ++count_ > kElementsMax) {
            refuse("is too deep or has too many elements");
            return;
        }
        const std::size_t colon = name.rfind(':');
        XmlElement& parent = *open_.back();
        parent.children.push_back(
            {.name = std::string(colon == std::string_view::npos ? name : name.substr(colon + 1)),
             .text = {},
             .children = {}}
        );
        // Only the innermost open element grows, so the others stay where they are.
        open_.push_back(&parent.children.back());
    }
    void refuse(const char* why) {
        refusal_ = refusal_ != nullptr ? refusal_ : why;
        XML_StopParser(parser_, XML_FALSE);
    }

    XML_Parser parser_;
    XmlElement root_;
    std::vector<XmlElement*> open_{&root_};
    std::size_t count_ = 0;
    const char* refusal_ = nullptr;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
    for (const XmlElement& element : children) {
        if (element.name == child_name) {
            return &element;
        }
    }
    return nullptr;
}

std::string_view XmlElement::text_of(std::string_view child_name) const {
    const XmlElement* const found = child(child_name);
    return found != nullptr ? std::string_view(found->text) : std::string_view();
}

Result<XmlElement> parse_xml(std::string_view text) {
    const std::unique_ptr<XML_ParserStruct, FreeParser> parser(XML_ParserCreate(nullptr));
    if (parser == nullptr) {
        return Error::resource_exhausted("out of memory");
    }
    Builder builder(parser.get());
    return builder.parse(text);
}

std::string xml_escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace nexa::storage
