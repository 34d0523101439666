// SPDX-License-Identifier: Apache-2.0
// The little XML that S3, IAM and STS speak: written, and read with limits. Pure; any thread.
// The reader takes elements, attributes (dropped), text, the five predefined entities and character
// references. It knows no document types, so that nothing in a request can expand or be fetched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace andon::api {

// Writes one document; close() names nothing, it ends the innermost element.
class XmlWriter {
 public:
  // `root` gets S3's namespace unless it is "Error", which has none.
  explicit XmlWriter(std::string_view root);
  XmlWriter(std::string_view root, std::string_view xml_namespace);

  XmlWriter& open(std::string_view name);
  XmlWriter& close();
  XmlWriter& text(std::string_view name, std::string_view value);
  XmlWriter& number(std::string_view name, std::uint64_t value);
  XmlWriter& boolean(std::string_view name, bool value);
  // Closes what is open.
  [[nodiscard]] std::string finish();

 private:
  std::string out_;
  std::vector<std::string> open_;
};

struct XmlElement {
  std::string name;  // without namespace prefix
  std::string text;  // of its own, not of its children
  std::vector<XmlElement> children;

  [[nodiscard]] const XmlElement* child(std::string_view child_name) const;
  [[nodiscard]] std::optional<std::string> child_text(std::string_view child_name) const;
};

// Throws S3Error(NotImplemented) naming a child that is not among `honoured`.
void refuse_other_members(const XmlElement& element,
                          std::initializer_list<std::string_view> honoured);

struct XmlLimits {
  std::size_t max_depth = 8;
  std::size_t max_elements = 100'000;
};

// Throws base::Error(invalid_argument) saying what is wrong and at which byte.
[[nodiscard]] XmlElement parse_xml(std::string_view text, const XmlLimits& limits = {});

}  // namespace andon::api
