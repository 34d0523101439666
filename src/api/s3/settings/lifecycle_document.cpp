// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/lifecycle_document.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "api/s3/format/error.hpp"
#include "api/s3/settings/tagging.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::api {
namespace {

using store::LifecycleRule;

constexpr std::int64_t kMostDays = 1'000'000;
constexpr std::int64_t kMostNewer = 100;
constexpr std::size_t kMostIdLength = 255;

std::optional<std::int64_t> read_number(const XmlElement& parent, std::string_view name,
                                        std::int64_t least, std::int64_t most) {
  const auto text = parent.child_text(name);
  if (!text) return std::nullopt;
  const auto number = base::parse_integer<std::int64_t>(*text, least, most);
  if (!number) {
    throw invalid_argument("'" + std::string(name) + "' must be a whole number from " +
                           std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

// Of a Filter, or of its And.
void read_predicates(const XmlElement& element, LifecycleRule& rule) {
  for (const XmlElement& child : element.children) {
    if (child.name == "Prefix") rule.prefix = child.text;
    if (child.name != "Tag") continue;
    auto [key, value] = read_tag(child);
    if (!rule.tags.emplace(key, value).second) {
      throw invalid_argument("a filter has the tag '" + key + "' twice");
    }
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (const auto size = read_number(element, "ObjectSizeGreaterThan", 0, kMost)) {
    rule.size_greater_than = size;
  }
  if (const auto size = read_number(element, "ObjectSizeLessThan", 1, kMost)) {
    rule.size_less_than = size;
  }
}

void read_filter(const XmlElement& filter, LifecycleRule& rule) {
  refuse_other_members(filter,
                       {"Prefix", "Tag", "And", "ObjectSizeGreaterThan", "ObjectSizeLessThan"});
  if (filter.children.size() > 1) {
    throw malformed_xml("a Filter has one member; several stand in its And");
  }
  const XmlElement* all = filter.child("And");
  if (all != nullptr) {
    refuse_other_members(*all, {"Prefix", "Tag", "ObjectSizeGreaterThan", "ObjectSizeLessThan"});
  }
  read_predicates(all != nullptr ? *all : filter, rule);
}

void read_expiration(const XmlElement& element, LifecycleRule& rule) {
  refuse_other_members(element, {"Days", "Date", "ExpiredObjectDeleteMarker"});
  if (element.children.size() != 1) {
    throw malformed_xml("Expiration has one of Days, Date and ExpiredObjectDeleteMarker");
  }
  rule.expiration_days = read_number(element, "Days", 1, kMostDays);
  if (const auto text = element.child_text("Date")) {
    rule.expiration_date = base::parse_iso8601(*text);
    if (!rule.expiration_date ||
        std::chrono::floor<std::chrono::days>(*rule.expiration_date) != *rule.expiration_date) {
      throw invalid_argument("'Date' must be at midnight GMT");
    }
  }
  rule.removes_lone_markers = element.child_text("ExpiredObjectDeleteMarker") == "true";
}

void check_rule(const LifecycleRule& rule) {
  const bool does_something = rule.expiration_days || rule.expiration_date ||
                              rule.removes_lone_markers || rule.noncurrent_days ||
                              rule.abort_uploads_days;
  if (!does_something) {
    throw S3Error(400, "InvalidRequest", "At least one action needs to be specified in a rule");
  }
  const bool is_by_content = !rule.tags.empty() || rule.size_greater_than || rule.size_less_than;
  if (is_by_content && (rule.removes_lone_markers || rule.abort_uploads_days)) {
    throw S3Error(400, "InvalidRequest",
                  "ExpiredObjectDeleteMarker and AbortIncompleteMultipartUpload cannot stand with "
                  "a filter of tags or sizes");
  }
  if (rule.size_greater_than && rule.size_less_than &&
      *rule.size_greater_than >= *rule.size_less_than) {
    throw S3Error(400, "InvalidRequest",
                  "ObjectSizeLessThan must be larger than ObjectSizeGreaterThan");
  }
}

LifecycleRule read_rule(const XmlElement& element) {
  refuse_other_members(element, {"ID", "Status", "Filter", "Prefix", "Expiration",
                                 "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"});
  LifecycleRule rule;
  rule.id = element.child_text("ID").value_or("");
  if (base::count_code_points(rule.id) > kMostIdLength) {
    throw invalid_argument("ID length should not exceed allowed limit of 255");
  }
  if (rule.id.empty()) rule.id = base::random_uuid();
  const std::string status = element.child_text("Status").value_or("");
  if (status != "Enabled" && status != "Disabled") {
    throw malformed_xml("the Status of a rule must be Enabled or Disabled");
  }
  rule.is_enabled = status == "Enabled";
  const XmlElement* filter = element.child("Filter");
  const XmlElement* prefix = element.child("Prefix");
  if ((filter == nullptr) == (prefix == nullptr)) {
    throw malformed_xml("a rule has a Filter, or, as before 2016, a Prefix");
  }
  if (filter != nullptr) read_filter(*filter, rule);
  if (prefix != nullptr) rule.prefix = prefix->text;
  if (const auto* expiration = element.child("Expiration")) read_expiration(*expiration, rule);
  if (const auto* noncurrent = element.child("NoncurrentVersionExpiration")) {
    refuse_other_members(*noncurrent, {"NoncurrentDays", "NewerNoncurrentVersions"});
    rule.noncurrent_days = read_number(*noncurrent, "NoncurrentDays", 1, kMostDays);
    if (!rule.noncurrent_days) {
      throw malformed_xml("NoncurrentVersionExpiration needs NoncurrentDays");
    }
    rule.newer_noncurrent =
        read_number(*noncurrent, "NewerNoncurrentVersions", 1, kMostNewer).value_or(0);
  }
  if (const auto* abort = element.child("AbortIncompleteMultipartUpload")) {
    refuse_other_members(*abort, {"DaysAfterInitiation"});
    rule.abort_uploads_days = read_number(*abort, "DaysAfterInitiation", 1, kMostDays);
    if (!rule.abort_uploads_days) {
      throw malformed_xml("AbortIncompleteMultipartUpload needs DaysAfterInitiation");
    }
  }
  check_rule(rule);
  return rule;
}

void write_filter(XmlWriter& xml, const LifecycleRule& rule) {
  const std::size_t count = (rule.prefix.empty() ? 0U : 1U) + rule.tags.size() +
                            (rule.size_greater_than ? 1U : 0U) + (rule.size_less_than ? 1U : 0U);
  xml.open("Filter");
  if (count > 1) xml.open("And");
  if (!rule.prefix.empty() || count == 0) xml.text("Prefix", rule.prefix);
  for (const auto& [key, value] : rule.tags) {
    xml.open("Tag").text("Key", key).text("Value", value).close();
  }
  const auto number = [&](const char* name, const std::optional<std::int64_t>& value) {
    if (value) xml.number(name, static_cast<std::uint64_t>(*value));
  };
  number("ObjectSizeGreaterThan", rule.size_greater_than);
  number("ObjectSizeLessThan", rule.size_less_than);
  if (count > 1) xml.close();
  xml.close();
}

void write_rule(XmlWriter& xml, const LifecycleRule& rule) {
  xml.open("Rule").text("ID", rule.id);
  write_filter(xml, rule);
  xml.text("Status", rule.is_enabled ? "Enabled" : "Disabled");
  const auto number = [&](const char* name, std::int64_t value) {
    xml.number(name, static_cast<std::uint64_t>(value));
  };
  if (rule.expiration_days || rule.expiration_date || rule.removes_lone_markers) {
    xml.open("Expiration");
    if (rule.expiration_days) number("Days", *rule.expiration_days);
    if (rule.expiration_date) xml.text("Date", base::to_iso8601(*rule.expiration_date));
    if (rule.removes_lone_markers) xml.boolean("ExpiredObjectDeleteMarker", true);
    xml.close();
  }
  if (rule.noncurrent_days) {
    xml.open("NoncurrentVersionExpiration");
    number("NoncurrentDays", *rule.noncurrent_days);
    if (rule.newer_noncurrent > 0) number("NewerNoncurrentVersions", rule.newer_noncurrent);
    xml.close();
  }
  if (rule.abort_uploads_days) {
    xml.open("AbortIncompleteMultipartUpload");
    number("DaysAfterInitiation", *rule.abort_uploads_days);
    xml.close();
  }
  xml.close();
}

}  // namespace

std::vector<LifecycleRule> read_lifecycle(const XmlElement& root) {
  if (root.name != "LifecycleConfiguration") {
    throw malformed_xml("expected LifecycleConfiguration, not " + root.name);
  }
  refuse_other_members(root, {"Rule"});
  std::vector<LifecycleRule> rules;
  std::set<std::string> ids;
  for (const XmlElement& child : root.children) {
    rules.push_back(read_rule(child));
    if (!ids.insert(rules.back().id).second) {
      throw invalid_argument("Rule ID must be unique. Found same ID for more than one rule");
    }
  }
  if (rules.empty() || rules.size() > store::kMostLifecycleRules) {
    throw malformed_xml("a LifecycleConfiguration has 1 to 1000 rules");
  }
  return rules;
}

std::string lifecycle_document(const std::vector<LifecycleRule>& rules) {
  XmlWriter xml("LifecycleConfiguration");
  for (const LifecycleRule& rule : rules) write_rule(xml, rule);
  return xml.finish();
}

}  // namespace andon::api
