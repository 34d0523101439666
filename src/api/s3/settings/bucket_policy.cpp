// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/bucket_policy.hpp"

#include <algorithm>
#include <array>

#include "api/s3/format/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

// The keys that a request to S3 has here; what names another could never be met.
constexpr std::array<std::string_view, 24> kKeys{"aws:currenttime",
                                                 "aws:epochtime",
                                                 "aws:securetransport",
                                                 "aws:sourceip",
                                                 "aws:useragent",
                                                 "aws:tokenissuetime",
                                                 "aws:requestedregion",
                                                 "aws:principalaccount",
                                                 "aws:principalarn",
                                                 "aws:principaltype",
                                                 "aws:userid",
                                                 "aws:username",
                                                 "s3:prefix",
                                                 "s3:delimiter",
                                                 "s3:max-keys",
                                                 "s3:versionid",
                                                 "s3:x-amz-acl",
                                                 "s3:x-amz-copy-source",
                                                 "s3:x-amz-storage-class",
                                                 "s3:authtype",
                                                 "s3:signatureversion",
                                                 "s3:x-amz-metadata-directive",
                                                 "s3:x-amz-content-sha256",
                                                 "s3:requestobjecttagkeys"};
constexpr std::array<std::string_view, 2> kKeyFamilies{"aws:principaltag/", "s3:requestobjecttag/"};

S3Error malformed(const std::string& what) {
  return {400, "MalformedPolicy", what};
}

policy::Document parse(std::string_view text) {
  try {
    return policy::Document::parse(text, policy::DocumentKind::resource);
  } catch (const base::Error& error) {
    throw malformed(error.message());
  }
}

// A text, or a list of them.
std::vector<std::string> texts_of(const json::value& value) {
  std::vector<std::string> texts;
  if (value.is_string()) texts.emplace_back(value.as_string());
  if (value.is_array()) {
    for (const json::value& item : value.as_array()) {
      if (item.is_string()) texts.emplace_back(item.as_string());
    }
  }
  return texts;
}

// A network that is not most of the world: 8 bits and more of IPv4, 32 and more of IPv6.
bool is_narrow_network(std::string_view text) {
  constexpr std::uint64_t kLeastBits = 8;
  constexpr std::uint64_t kLeastBits6 = 32;
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return true;
  const auto bits = base::parse_uint64(text.substr(slash + 1));
  return bits && *bits >= (text.find(':') == std::string_view::npos ? kLeastBits : kLeastBits6);
}

// Whether a condition holds a statement to what is fixed.
bool holds_to_fixed(std::string_view operator_name, std::string_view key,
                    const std::vector<std::string>& values) {
  const std::string name = base::to_lower(operator_name);
  const std::string lowered = base::to_lower(key);
  if (values.empty()) return false;
  if (lowered == "aws:sourceip") {
    return name == "ipaddress" && std::ranges::all_of(values, is_narrow_network);
  }
  constexpr std::array<std::string_view, 6> kOperators{"stringequals", "stringequalsignorecase",
                                                       "stringlike",   "arnequals",
                                                       "arnlike",      "foranyvalue:stringequals"};
  constexpr std::array<std::string_view, 4> kFixed{"aws:principalarn", "aws:principalaccount",
                                                   "aws:userid", "aws:username"};
  if (std::ranges::find(kOperators, name) == kOperators.end()) return false;
  if (std::ranges::find(kFixed, lowered) == kFixed.end()) return false;
  return std::ranges::none_of(values, [](const std::string& value) {
    return value.find_first_of("*?") != std::string::npos || value.find("${") != std::string::npos;
  });
}

void check_key(std::string_view key) {
  const std::string lowered = base::to_lower(key);
  const bool is_known =
      std::ranges::find(kKeys, lowered) != kKeys.end() ||
      std::ranges::any_of(kKeyFamilies, [&](auto family) { return lowered.starts_with(family); });
  if (is_known) return;
  throw not_implemented("this store does not support the condition key " +
                        std::string(key.substr(0, 100)) + " in the policy of a bucket");
}

// Statement by statement, as Document has read them.
std::vector<const json::object*> statements_of(const json::value& root) {
  std::vector<const json::object*> list;
  const json::value& value = root.as_object().at("Statement");
  if (const auto* one = value.if_object()) list.push_back(one);
  if (const auto* many = value.if_array()) {
    for (const json::value& item : *many) list.push_back(&item.as_object());
  }
  return list;
}

bool is_about(std::string_view resource, std::string_view bucket) {
  constexpr std::string_view kPrefix = "arn:aws:s3:::";
  if (!resource.starts_with(kPrefix)) return false;
  resource.remove_prefix(kPrefix.size());
  if (!resource.starts_with(bucket)) return false;
  resource.remove_prefix(bucket.size());
  return resource.empty() || resource.front() == '/';
}

}  // namespace

BucketPolicy::BucketPolicy(std::string_view text, std::string_view bucket)
    : document_(parse(text)) {
  const json::value root = base::parse_json(text, "policy");
  const auto written = statements_of(root);
  for (std::size_t i = 0; i < written.size(); ++i) {
    const policy::Statement& statement = document_.statements()[i];
    for (const policy::Pattern& action : statement.actions) {
      if (action.text() == "*" || base::to_lower(action.text()).starts_with("s3:")) continue;
      throw malformed("Policy has invalid action: " + action.text() + " is not one of S3");
    }
    for (const policy::Pattern& resource : statement.resources) {
      if (is_about(resource.text(), bucket)) continue;
      throw malformed("Policy has invalid resource: " + resource.text() +
                      " is neither arn:aws:s3:::" + std::string(bucket) + " nor below it");
    }
    bool is_held = false;
    if (const json::value* block = written[i]->if_contains("Condition")) {
      for (const auto& [name, keys] : block->as_object()) {
        for (const auto& [key, values] : keys.as_object()) {
          check_key(key);
          is_held = is_held || holds_to_fixed(name, key, texts_of(values));
        }
      }
    }
    const bool is_for_everybody =
        statement.is_not_principal ||
        std::ranges::any_of(statement.principals, [](const policy::PrincipalPattern& principal) {
          return principal.kind == policy::PrincipalPattern::Kind::everybody;
        });
    if (statement.effect == policy::Effect::allow && is_for_everybody && !is_held) {
      is_public_ = true;
    }
  }
}

}  // namespace andon::api
