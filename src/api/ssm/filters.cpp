// SPDX-License-Identifier: Apache-2.0
// Filters of lists of parameters.
#include <algorithm>
#include <array>
#include <optional>

#include "api/ssm/rows.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/utf8.hpp"

namespace andon::api::ssm {
namespace {

using control::ParameterFilter;
using Key = ParameterFilter::Key;
using Option = ParameterFilter::Option;

constexpr std::size_t kMostValues = 50;
constexpr std::size_t kMostFilters = 50;

struct KeyWord {
  std::string_view word;
  Key key;
  bool is_below;  // also of GetParametersByPath
};
constexpr std::array<KeyWord, 7> kKeys = {{{"Name", Key::name, false},
                                           {"Path", Key::path, false},
                                           {"Type", Key::type, true},
                                           {"KeyId", Key::key_id, true},
                                           {"Tier", Key::tier, false},
                                           {"DataType", Key::data_type, false},
                                           {"Label", Key::label, true}}};

ServiceError refused(std::string_view code, const std::string& message) {
  return {400, std::string(code), message};
}

std::string shown(std::string_view text) {
  return "'" + std::string(base::utf8_prefix(text, 100)) + "'";
}

Option read_option(const ParameterFilter& filter, const std::string& given) {
  if (filter.key == Key::path) {
    if (given.empty() || given == "OneLevel") return Option::one_level;
    if (given == "Recursive") return Option::recursive;
    throw refused("InvalidFilterOption",
                  "Option " + shown(given) + ": of Path it is Recursive or OneLevel");
  }
  if (given.empty() || given == "Equals") return Option::equals;
  if (filter.key == Key::name && given == "BeginsWith") return Option::begins_with;
  if (filter.key == Key::name && given == "Contains") return Option::contains;
  throw refused("InvalidFilterOption",
                "Option " + shown(given) +
                    ": it is Equals, of Name also BeginsWith or Contains, of Path Recursive or "
                    "OneLevel");
}

std::vector<std::string> read_values(const base::JsonReader& reader) {
  const auto values = reader.strings("Values", kMostValues + 1);
  const bool fits = values.size() <= kMostValues &&
                    std::ranges::all_of(
                        values, [](const auto& one) { return !one.empty() && one.size() <= 1024; });
  if (!fits) {
    throw refused("InvalidFilterValue",
                  "Values: at most 50, of which each has 1 to 1024 characters");
  }
  return values;
}

ParameterFilter read_key(const std::string& key, FilterUse use) {
  constexpr std::string_view kTag = "tag:";
  const auto* known = std::ranges::find(kKeys, key, &KeyWord::word);
  const bool is_tag = key.starts_with(kTag) && key.size() > kTag.size();
  const bool fits = use == FilterUse::below ? known != kKeys.end() && known->is_below
                                            : is_tag || known != kKeys.end();
  if (!fits) {
    throw refused("InvalidFilterKey",
                  "The specified key isn't valid: " + shown(key) +
                      (use == FilterUse::below ? "; here it is Type, KeyId or Label" : ""));
  }
  if (is_tag) return {.key = Key::tag, .values = {}, .tag = key.substr(kTag.size())};
  return {.key = known->key, .values = {}};
}

std::vector<base::JsonReader> filters_in(const json::object& input, std::string_view member) {
  auto filters = base::JsonReader(input, "", {.separator = ": "}).children(member);
  if (filters.size() > kMostFilters) {
    throw refused("InvalidFilterValue", std::string(member) + ": at most 50 filters");
  }
  return filters;
}

}  // namespace

std::vector<ParameterFilter> read_filters(const json::object& input, FilterUse use) {
  std::vector<ParameterFilter> filters;
  for (const base::JsonReader& reader : filters_in(input, "ParameterFilters")) {
    ParameterFilter filter = read_key(reader.required_text("Key"), use);
    filter.option = read_option(filter, reader.optional_string("Option").value_or(""));
    filter.values = read_values(reader);
    if (filter.values.empty() && filter.key != Key::tag) {
      throw refused("InvalidFilterValue", "Values: a filter has at least one");
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

std::vector<ParameterFilter> read_old_filters(const json::object& input) {
  std::vector<ParameterFilter> filters;
  for (const base::JsonReader& reader : filters_in(input, "Filters")) {
    const std::string key = reader.required_text("Key");
    if (key != "Name" && key != "Type" && key != "KeyId") {
      throw refused("InvalidFilterKey", "The specified key isn't valid: " + shown(key));
    }
    ParameterFilter filter = read_key(key, FilterUse::describe);
    if (filter.key == Key::name) filter.option = Option::begins_with;
    filter.values = read_values(reader);
    filters.push_back(std::move(filter));
  }
  return filters;
}

}  // namespace andon::api::ssm
