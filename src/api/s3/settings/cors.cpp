// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/cors.hpp"

#include <algorithm>
#include <array>

#include "api/s3/format/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

constexpr std::array<std::string_view, 5> kMethods{"GET", "PUT", "HEAD", "POST", "DELETE"};
constexpr std::int64_t kMostSeconds = 1'000'000'000;

S3Error invalid(const std::string& what) {
  return {400, "InvalidRequest", what};
}

// `pattern` has at most one *.
bool fits(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  const std::string_view head = pattern.substr(0, star);
  const std::string_view tail = pattern.substr(star + 1);
  return text.size() >= head.size() + tail.size() && text.starts_with(head) && text.ends_with(tail);
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string read_pattern(const XmlElement& element) {
  if (std::ranges::count(element.text, '*') > 1) {
    throw invalid(element.name + " \"" + element.text + "\" can not have more than one wildcard.");
  }
  if (element.text.empty() || !is_plain(element.text)) {
    throw invalid(element.name + " must be printable ASCII without blanks");
  }
  return element.text;
}

CorsRule read_rule(const XmlElement& element) {
  refuse_other_members(element, {"ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader",
                                 "ExposeHeader", "MaxAgeSeconds"});
  CorsRule rule;
  rule.id = element.child_text("ID").value_or("");
  for (const XmlElement& child : element.children) {
    if (child.name == "AllowedOrigin") rule.origins.push_back(read_pattern(child));
    if (child.name == "AllowedHeader") rule.headers.push_back(read_pattern(child));
    if (child.name == "ExposeHeader") {
      if (child.text.empty() || !is_plain(child.text) ||
          child.text.find('*') != std::string::npos) {
        throw invalid("ExposeHeader \"" + child.text + "\" must be the name of a header");
      }
      rule.exposed.push_back(child.text);
    }
    if (child.name == "AllowedMethod") {
      if (std::ranges::find(kMethods, child.text) == kMethods.end()) {
        throw invalid("Found unsupported HTTP method in CORS config. Unsupported method is " +
                      child.text);
      }
      rule.methods.push_back(child.text);
    }
  }
  if (rule.origins.empty() || rule.methods.empty()) {
    throw malformed_xml("expected CORSRule with AllowedOrigin and AllowedMethod");
  }
  if (const auto text = element.child_text("MaxAgeSeconds")) {
    rule.max_age_seconds = base::parse_integer<std::int64_t>(*text, 0, kMostSeconds);
    if (!rule.max_age_seconds) throw malformed_xml("MaxAgeSeconds must be a whole number");
  }
  return rule;
}

}  // namespace

std::vector<CorsRule> read_cors(const XmlElement& root) {
  if (root.name != "CORSConfiguration") {
    throw malformed_xml("expected CORSConfiguration, not " + root.name);
  }
  refuse_other_members(root, {"CORSRule"});
  std::vector<CorsRule> rules;
  for (const XmlElement& child : root.children) rules.push_back(read_rule(child));
  if (rules.empty() || rules.size() > kMostCorsRules) {
    throw malformed_xml("a CORSConfiguration has 1 to 100 rules");
  }
  return rules;
}

std::string cors_document(const std::vector<CorsRule>& rules) {
  XmlWriter xml("CORSConfiguration");
  for (const CorsRule& rule : rules) {
    xml.open("CORSRule");
    if (!rule.id.empty()) xml.text("ID", rule.id);
    const auto list = [&](const char* name, const std::vector<std::string>& texts) {
      for (const std::string& text : texts) xml.text(name, text);
    };
    list("AllowedHeader", rule.headers);
    list("AllowedMethod", rule.methods);
    list("AllowedOrigin", rule.origins);
    list("ExposeHeader", rule.exposed);
    if (rule.max_age_seconds) {
      xml.number("MaxAgeSeconds", static_cast<std::uint64_t>(*rule.max_age_seconds));
    }
    xml.close();
  }
  return xml.finish();
}

const CorsRule* find_cors_rule(const std::vector<CorsRule>& rules, const CorsQuestion& question) {
  const auto lets = [&](const CorsRule& rule) {
    const bool is_origin = std::ranges::any_of(
        rule.origins, [&](const std::string& pattern) { return fits(pattern, question.origin); });
    if (!is_origin || std::ranges::find(rule.methods, question.method) == rule.methods.end()) {
      return false;
    }
    return std::ranges::all_of(question.headers, [&](const std::string& header) {
      return std::ranges::any_of(rule.headers, [&](const std::string& pattern) {
        return fits(base::to_lower(pattern), base::to_lower(header));
      });
    });
  };
  const auto rule = std::ranges::find_if(rules, lets);
  return rule == rules.end() ? nullptr : &*rule;
}

std::string allowed_origin(const CorsRule& rule, const std::string& origin) {
  const bool is_any = std::ranges::find(rule.origins, "*") != rule.origins.end();
  return is_any ? "*" : origin;
}

}  // namespace andon::api
