// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/xml.hpp"

#include <algorithm>
#include <array>

#include "api/s3/format/error.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::api {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

bool is_name_start(char c) {
  return base::is_letter(c) || c == '_';
}
bool is_name(char c) {
  return is_name_start(c) || base::is_digit(c) || c == '-' || c == '.' || c == ':';
}

class XmlReader {
 public:
  XmlReader(std::string_view text, const XmlLimits& limits) : text_(text), limits_(limits) {}

  XmlElement read_document() {
    if (rest().starts_with("\xef\xbb\xbf")) at_ += 3;
    skip_space();
    if (rest().starts_with("<?xml")) {
      const std::size_t end = text_.find("?>", at_);
      if (end == std::string_view::npos) fail("the XML declaration does not end");
      at_ = end + 2;
    }
    skip_space();
    XmlElement root = read_element(1);
    skip_space();
    if (at_ != text_.size()) fail("there is more after the root element");
    return root;
  }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  [[noreturn]] void fail(std::string_view what) const {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "malformed XML at byte " + std::to_string(at_) + ": " + std::string(what));
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(kSpace, at_), text_.size()); }

  void expect(char c) {
    if (at_ >= text_.size() || text_[at_] != c) fail(std::string("expected '") + c + "'");
    ++at_;
  }

  std::string_view read_name() {
    const std::size_t start = at_;
    if (at_ >= text_.size() || !is_name_start(text_[at_])) fail("expected a name");
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  // After the name of a start tag; true where the element is empty ("/>").
  bool read_attributes() {
    while (true) {
      const std::size_t before = at_;
      skip_space();
      if (rest().starts_with("/>")) {
        at_ += 2;
        return true;
      }
      if (rest().starts_with(">")) {
        ++at_;
        return false;
      }
      if (at_ == before) fail("expected a space before an attribute");
      (void)read_name();
      skip_space();
      expect('=');
      skip_space();
      const char quote = at_ < text_.size() ? text_[at_] : '\0';
      if (quote != '"' && quote != '\'') fail("expected a quoted value");
      const std::size_t end = text_.find(quote, at_ + 1);
      if (end == std::string_view::npos) fail("the value of an attribute does not end");
      if (text_.substr(at_, end - at_).find('<') != std::string_view::npos) {
        fail("'<' in the value of an attribute");
      }
      at_ = end + 1;
    }
  }

  void read_reference(std::string& out) {
    const std::size_t end = text_.find(';', at_);
    if (end == std::string_view::npos || end - at_ > 12) fail("a reference does not end");
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
        {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}}};
    const auto* entity =
        std::ranges::find(kEntities, name, [](const auto& item) { return item.first; });
    if (entity != kEntities.end()) {
      out += entity->second;
    } else {
      base::append_utf8(out, read_code_point(name));
    }
    at_ = end + 1;
  }

  [[nodiscard]] char32_t read_code_point(std::string_view name) const {
    if (!name.starts_with('#')) fail("an entity that is not known");
    const bool is_hex = name.size() > 1 && name[1] == 'x';
    const std::string_view digits = name.substr(is_hex ? 2 : 1);
    const auto code_point = base::parse_uint64(digits, is_hex ? 16 : 10);
    if (!code_point || *code_point == 0 || *code_point > 0x10ffffU ||
        (*code_point >= 0xd800U && *code_point <= 0xdfffU)) {
      fail("a character reference that names no character");
    }
    return static_cast<char32_t>(*code_point);
  }

  XmlElement read_element(std::size_t depth) {
    if (depth > limits_.max_depth) fail("elements are nested too deep");
    if (++elements_ > limits_.max_elements) fail("too many elements");
    expect('<');
    const std::string_view full_name = read_name();
    XmlElement element;
    element.name = std::string(full_name.substr(full_name.find(':') + 1));
    if (read_attributes()) return element;
    while (true) {
      if (at_ >= text_.size()) fail("element '" + element.name + "' does not end");
      if (rest().starts_with("</")) {
        at_ += 2;
        if (read_name() != full_name) fail("an end tag that does not fit '" + element.name + "'");
        skip_space();
        expect('>');
        return element;
      }
      if (text_[at_] == '<') {
        element.children.push_back(read_element(depth + 1));
      } else if (text_[at_] == '&') {
        read_reference(element.text);
      } else {
        const std::size_t end = std::min(text_.find_first_of("<&", at_), text_.size());
        element.text += text_.substr(at_, end - at_);
        at_ = end;
      }
    }
  }

  const std::string_view text_;
  const XmlLimits limits_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
};

}  // namespace

XmlWriter::XmlWriter(std::string_view root)
    : XmlWriter(root, root == "Error" ? "" : "http://s3.amazonaws.com/doc/2006-03-01/") {}

XmlWriter::XmlWriter(std::string_view root, std::string_view xml_namespace)
    : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {
  open(root);
  if (xml_namespace.empty()) return;
  out_.pop_back();
  out_.append(" xmlns=\"").append(xml_namespace).append("\">");
}

XmlWriter& XmlWriter::open(std::string_view name) {
  out_.append("<").append(name).append(">");
  open_.emplace_back(name);
  return *this;
}

XmlWriter& XmlWriter::close() {
  out_.append("</").append(open_.back()).append(">");
  open_.pop_back();
  return *this;
}

XmlWriter& XmlWriter::text(std::string_view name, std::string_view value) {
  out_.append("<").append(name).append(">");
  out_ += base::escape_markup(value, base::MarkupControls::number);
  out_.append("</").append(name).append(">");
  return *this;
}

XmlWriter& XmlWriter::number(std::string_view name, std::uint64_t value) {
  return text(name, std::to_string(value));
}

XmlWriter& XmlWriter::boolean(std::string_view name, bool value) {
  return text(name, value ? "true" : "false");
}

std::string XmlWriter::finish() {
  while (!open_.empty()) close();
  return std::move(out_);
}

const XmlElement* XmlElement::child(std::string_view child_name) const {
  const auto found = std::ranges::find(children, child_name, &XmlElement::name);
  return found == children.end() ? nullptr : &*found;
}

std::optional<std::string> XmlElement::child_text(std::string_view child_name) const {
  const XmlElement* found = child(child_name);
  if (found == nullptr) return std::nullopt;
  return found->text;
}

void refuse_other_members(const XmlElement& element,
                          std::initializer_list<std::string_view> honoured) {
  for (const XmlElement& child : element.children) {
    if (std::ranges::find(honoured, child.name) != honoured.end()) continue;
    throw not_implemented("this store does not support " + child.name + " of " + element.name);
  }
}

XmlElement parse_xml(std::string_view text, const XmlLimits& limits) {
  if (!base::is_utf8(text)) {
    throw base::Error(base::ErrorCode::invalid_argument, "malformed XML: it is not UTF-8");
  }
  return XmlReader(text, limits).read_document();
}

}  // namespace andon::api
