// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/tagging.hpp"

#include "api/s3/format/error.hpp"
#include "base/text/utf8.hpp"
#include "wire/http/http.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMostKeyLength = 128;
constexpr std::size_t kMostValueLength = 256;

S3Error invalid_tag(const std::string& what) {
  return {400, "InvalidTag", what};
}

void add(TagSet& tags, std::string key, std::string value, std::size_t most) {
  if (!base::is_utf8(key) || !base::is_utf8(value)) throw invalid_tag("a tag is not UTF-8");
  if (key.empty() || base::count_code_points(key) > kMostKeyLength) {
    throw invalid_tag("the key of a tag must have 1 to 128 characters");
  }
  if (base::count_code_points(value) > kMostValueLength) {
    throw invalid_tag("the value of a tag may have at most 256 characters");
  }
  if (key.starts_with("aws:")) throw invalid_tag("the key of a tag may not begin with aws:");
  if (tags.size() == most) {
    throw S3Error(400, "BadRequest", "there may be at most " + std::to_string(most) + " tags");
  }
  if (!tags.emplace(key, std::move(value)).second) {
    throw invalid_tag("two tags have the key '" + key + "'");
  }
}

}  // namespace

TagSet read_tag_query(std::string_view text, std::size_t most) {
  const auto pairs = wire::parse_query(text);
  if (!pairs) throw invalid_argument("x-amz-tagging must be key=value&key=value, percent-encoded");
  TagSet tags;
  for (const auto& [key, value] : *pairs) add(tags, key, value, most);
  return tags;
}

std::pair<std::string, std::string> read_tag(const XmlElement& element) {
  refuse_other_members(element, {"Key", "Value"});
  const auto key = element.child_text("Key");
  const auto value = element.child_text("Value");
  if (!key || !value) throw malformed_xml("expected Tag with a Key and a Value");
  return {*key, *value};
}

TagSet read_tagging(const XmlElement& root, std::size_t most) {
  if (root.name != "Tagging") throw malformed_xml("expected Tagging, not " + root.name);
  refuse_other_members(root, {"TagSet"});
  const XmlElement* set = root.child("TagSet");
  if (set == nullptr) throw malformed_xml("expected Tagging with a TagSet");
  refuse_other_members(*set, {"Tag"});
  TagSet tags;
  for (const XmlElement& child : set->children) {
    auto [key, value] = read_tag(child);
    add(tags, std::move(key), std::move(value), most);
  }
  return tags;
}

std::string tagging_document(const TagSet& tags) {
  XmlWriter xml("Tagging");
  xml.open("TagSet");
  for (const auto& [key, value] : tags) {
    xml.open("Tag").text("Key", key).text("Value", value).close();
  }
  return xml.finish();
}

}  // namespace andon::api
