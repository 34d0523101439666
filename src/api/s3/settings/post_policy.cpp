// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/post_policy.hpp"

#include <algorithm>
#include <array>

#include "api/s3/format/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr std::size_t kMostBytes = 20U << 10U;
constexpr std::size_t kMostConditions = 200;
// They sign the form, or are the document itself.
constexpr std::array<std::string_view, 5> kNeedNoCondition{"x-amz-signature", "policy", "file",
                                                           "awsaccesskeyid", "signature"};

S3Error invalid(const std::string& what) {
  return {400, "InvalidPolicyDocument", "Invalid Policy: " + what};
}

S3Error denied(const std::string& what) {
  return {403, "AccessDenied", "Invalid according to Policy: " + what};
}

std::string text_of(const json::value& value) {
  if (!value.is_string()) throw invalid("a condition has texts only");
  return std::string(value.as_string());
}

std::uint64_t size_of(const json::value& value) {
  if (value.is_int64() && value.as_int64() >= 0) {
    return static_cast<std::uint64_t>(value.as_int64());
  }
  throw invalid("content-length-range has two whole numbers");
}

}  // namespace

PostPolicy::PostPolicy(std::string_view encoded) {
  const auto text = base::from_base64(encoded);
  if (!text) throw invalid("it is not base64");
  json::value document;
  try {
    document = base::parse_json(*text, "policy", {.max_bytes = kMostBytes, .max_depth = 4});
  } catch (const base::Error& error) {
    throw invalid(error.message());
  }
  const auto* object = document.if_object();
  const json::value* expires = object != nullptr ? object->if_contains("expiration") : nullptr;
  const json::value* list = object != nullptr ? object->if_contains("conditions") : nullptr;
  if (expires == nullptr || list == nullptr || !list->is_array() || object->size() != 2) {
    throw invalid("it has an expiration and a list of conditions");
  }
  const auto time = base::parse_iso8601(text_of(*expires));
  if (!time) throw invalid("its expiration is no ISO 8601 time in UTC");
  expires_ = *time;
  if (list->as_array().size() > kMostConditions) throw invalid("it has too many conditions");
  for (const json::value& item : list->as_array()) {
    if (const auto* exact = item.if_object()) {
      for (const auto& [field, value] : *exact) {
        conditions_.push_back({Kind::equal, base::to_lower(field), text_of(value)});
      }
      continue;
    }
    const auto* parts = item.if_array();
    if (parts == nullptr || parts->size() != 3) {
      throw invalid("a condition is an object, or a list of three");
    }
    const std::string operation = base::to_lower(text_of((*parts)[0]));
    if (operation == "content-length-range") {
      least_bytes_ = std::max(least_bytes_, size_of((*parts)[1]));
      most_bytes_ = std::min(most_bytes_, size_of((*parts)[2]));
      continue;
    }
    const std::string field = text_of((*parts)[1]);
    if ((operation != "eq" && operation != "starts-with") || !field.starts_with('$')) {
      throw invalid(
          "a list is [\"eq\" or \"starts-with\", \"$field\", \"value\"] or a "
          "content-length-range");
    }
    conditions_.push_back({operation == "eq" ? Kind::equal : Kind::starts_with,
                           base::to_lower(std::string_view(field).substr(1)),
                           text_of((*parts)[2])});
  }
}

void PostPolicy::check(const FormData& form, std::string_view bucket, base::Timestamp now) const {
  if (expires_ <= now) throw denied("Policy expired.");
  for (const Condition& condition : conditions_) {
    const std::string value =
        condition.field == "bucket" ? std::string(bucket) : form.find(condition.field).value_or("");
    bool is_met = condition.kind == Kind::equal ? value == condition.value
                                                : value.starts_with(condition.value);
    // A list of types: each of them.
    if (!is_met && condition.kind == Kind::starts_with && condition.field == "content-type") {
      const auto types = base::split(value, ',');
      is_met = std::ranges::all_of(
          types, [&](std::string_view type) { return type.starts_with(condition.value); });
    }
    if (!is_met) {
      throw denied("Policy Condition failed: " + condition.field + " must " +
                   (condition.kind == Kind::equal ? "be '" : "begin with '") +
                   condition.value.substr(0, 200) + "'");
    }
  }
  for (const auto& [name, value] : form.fields) {
    const std::string field = base::to_lower(name);
    if (field.starts_with("x-ignore-") ||
        std::ranges::find(kNeedNoCondition, field) != kNeedNoCondition.end()) {
      continue;
    }
    if (std::ranges::find(conditions_, field, &Condition::field) == conditions_.end()) {
      throw denied("Extra input fields: " + field.substr(0, 200));
    }
  }
  const std::uint64_t size = form.file ? form.file->size : 0;
  if (size < least_bytes_) {
    throw S3Error(400, "EntityTooSmall",
                  "Your proposed upload is smaller than the minimum allowed");
  }
  if (size > most_bytes_) {
    throw S3Error(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  }
}

}  // namespace andon::api
