// SPDX-License-Identifier: Apache-2.0
#include "api/sagemaker/members.hpp"

#include <cmath>

#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::int64_t kStandardPage = 10;
constexpr std::int64_t kLargestPage = 100;
constexpr std::size_t kMaxDescriptionBytes = 1024;
constexpr double kLatestSeconds = 253402300799.0;  // the end of the year 9999

[[noreturn]] void refuse(std::string_view key, const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, std::string(key) + ": " + problem);
}

std::string make_arn(const fleet::Arns& arns, const std::string& resource) {
  return "arn:aws:sagemaker:" + arns.region() + ":" + arns.account() + ":" + resource;
}

// "arn:...:<kind>/<rest>" -> rest; a text that is no ARN as it is.
std::string strip_arn(std::string_view key, const std::string& text, std::string_view kind) {
  if (!text.starts_with("arn:")) return text;
  const std::size_t colon = text.rfind(':');
  const std::string prefix = std::string(kind) + "/";
  if (text.compare(colon + 1, prefix.size(), prefix) != 0 ||
      text.find(":sagemaker:") == std::string::npos) {
    refuse(key, "'" + text.substr(0, 200) + "' is not the ARN of a " + std::string(kind));
  }
  return text.substr(colon + 1 + prefix.size());
}

}  // namespace

std::string group_arn(const fleet::Arns& arns, const std::string& name) {
  return make_arn(arns, "model-package-group/" + name);
}

std::string package_arn(const fleet::Arns& arns, const control::ModelPackageId& id) {
  return make_arn(arns, "model-package/" + id.name +
                            (id.is_versioned() ? "/" + std::to_string(id.version) : ""));
}

std::string read_group_name(const json::object& input, std::string_view key) {
  return strip_arn(key, required_text(input, key), "model-package-group");
}

control::ModelPackageId read_package_id(const json::object& input, std::string_view key) {
  const std::string text = strip_arn(key, required_text(input, key), "model-package");
  const std::size_t slash = text.find('/');
  control::ModelPackageId id{text.substr(0, slash), 0};
  if (slash == std::string::npos) return id;
  const auto version = base::parse_integer<decltype(id.version)>(text.substr(slash + 1), 1);
  if (!version) {
    refuse(key, "the version after '/' must be a whole number from 1 on");
  }
  id.version = *version;
  return id;
}

std::string read_description(const json::object& input, std::string_view key) {
  std::string text = text_or_empty(input, key);
  if (text.size() > kMaxDescriptionBytes) refuse(key, "may have at most 1024 bytes");
  return text;
}

control::TagMap read_tags(const json::object& input) {
  control::TagMap tags;
  const json::value* list = input.if_contains("Tags");
  if (list == nullptr || list->is_null()) return tags;
  if (!list->is_array()) refuse("Tags", "must be a list");
  for (const json::value& item : list->get_array()) {
    if (!item.is_object()) refuse("Tags", "must be a list of objects with Key and Value");
    tags[required_text(item.get_object(), "Key")] = text_or_empty(item.get_object(), "Value");
  }
  return tags;
}

std::optional<base::Timestamp> read_time(const json::object& input, std::string_view key) {
  const json::value* value = input.if_contains(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  if (!value->is_number()) refuse(key, "must be seconds since 1970");
  const double seconds = value->to_number<double>();
  if (!(seconds >= 0 && seconds <= kLatestSeconds)) refuse(key, "is out of range");
  return base::from_epoch_millis(std::llround(seconds * 1000));
}

control::RegistryFilter read_filter(const json::object& input) {
  control::RegistryFilter filter;
  filter.created_after = read_time(input, "CreationTimeAfter");
  filter.created_before = read_time(input, "CreationTimeBefore");
  filter.name_contains = text_or_empty(input, "NameContains");
  if (word_or_empty(input, "SortBy", {"Name", "CreationTime"}) == "Name") {
    filter.sort = control::RegistrySort::by_name;
  }
  if (word_or_empty(input, "SortOrder", {"Ascending", "Descending"}) == "Descending") {
    filter.order = control::SortOrder::descending;
  }
  return filter;
}

control::PageRequest read_registry_page(const json::object& input) {
  const base::JsonReader reader(input, "", {.separator = ": "});
  const std::int64_t limit =
      reader.optional_integer("MaxResults", 1, kLargestPage).value_or(kStandardPage);
  control::PageRequest page{.limit = static_cast<std::size_t>(limit), .after = {}};
  const std::string token = text_or_empty(input, "NextToken");
  if (!token.empty()) {
    const auto after = from_page_token(token);
    if (!after) refuse("NextToken", "is not one that this list gave; start anew without it");
    page.after = *after;
  }
  return page;
}

void put_next_token(json::object& output, const std::optional<std::string>& next) {
  if (next) output["NextToken"] = to_page_token(*next);
}

}  // namespace andon::api
