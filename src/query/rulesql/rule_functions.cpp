// SPDX-License-Identifier: Apache-2.0
// The functions of a rule's SQL, one table.
#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "base/text/utf8.hpp"
#include "query/regex/regex.hpp"
#include "query/rulesql/rule_expression.hpp"
#include "query/rulesql/rule_time.hpp"

namespace andon::query {
namespace {

namespace json = base::json;
using Arguments = std::vector<RuleValue>;
using Message = RuleMessage;

constexpr std::size_t kMostReplaced = 10'000;

RuleValue text_value(std::string_view text) {
  return json::value(json::string(text));
}

RuleValue bounded(std::string text) {
  if (text.size() > RuleSql::kMostMade) return std::nullopt;
  return json::value(json::string(text));
}

std::optional<std::int64_t> index_of(const RuleValue& value) {
  const auto number = rule_number(value);
  if (!number || std::abs(*number) > 1e9) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

// Of the message itself.

RuleValue topic(const Arguments& arguments, const Message& message) {
  if (arguments.empty()) return text_value(message.topic);
  const auto wanted = index_of(arguments[0]);
  if (!wanted || *wanted < 1) return std::nullopt;
  const auto parts = base::split(message.topic, '/');
  if (*wanted > std::ssize(parts)) return std::nullopt;
  return text_value(parts[static_cast<std::size_t>(*wanted - 1)]);
}
RuleValue timestamp(const Arguments&, const Message& message) {
  return json::value(base::to_epoch_millis(message.time));
}
RuleValue account(const Arguments&, const Message& message) {
  return text_value(message.account);
}
RuleValue trace(const Arguments&, const Message& message) {
  return text_value(message.trace_id);
}
RuleValue new_uuid(const Arguments&, const Message&) {
  return text_value(base::random_uuid());
}
RuleValue random(const Arguments&, const Message&) {
  static thread_local std::mt19937_64 source{std::random_device{}()};
  return json::value(std::uniform_real_distribution<double>(0, 1)(source));
}

// Numbers.

template <double (*Function)(double)>
RuleValue real(const Arguments& arguments, const Message&) {
  const auto number = rule_number(arguments[0]);
  if (!number) return std::nullopt;
  const double result = Function(*number);
  return std::isfinite(result) ? RuleValue(rule_number_value(result)) : RuleValue();
}
double absolute(double x) {
  return std::abs(x);
}
double ceiling(double x) {
  return std::ceil(x);
}
double floored(double x) {
  return std::floor(x);
}
double rounded(double x) {
  return std::round(x);
}
double root(double x) {
  return std::sqrt(x);
}
double exponential(double x) {
  return std::exp(x);
}
double natural_log(double x) {
  return std::log(x);
}
double decimal_log(double x) {
  return std::log10(x);
}
double sine(double x) {
  return std::sin(x);
}
double cosine(double x) {
  return std::cos(x);
}
double tangent(double x) {
  return std::tan(x);
}
double arc_sine(double x) {
  return std::asin(x);
}
double arc_cosine(double x) {
  return std::acos(x);
}
double arc_tangent(double x) {
  return std::atan(x);
}
double sign_of(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

RuleValue power(const Arguments& arguments, const Message&) {
  const auto left = rule_number(arguments[0]);
  const auto right = rule_number(arguments[1]);
  if (!left || !right) return std::nullopt;
  const double result = std::pow(*left, *right);
  return std::isfinite(result) ? RuleValue(rule_number_value(result)) : RuleValue();
}
RuleValue modulo(const Arguments& arguments, const Message&) {
  const auto left = rule_number(arguments[0]);
  const auto right = rule_number(arguments[1]);
  if (!left || !right || *right == 0) return std::nullopt;
  return rule_number_value(std::fmod(*left, *right));
}
RuleValue truncated(const Arguments& arguments, const Message&) {
  const auto number = rule_number(arguments[0]);
  const auto places = index_of(arguments[1]);
  if (!number || !places || *places < 0 || *places > 34) return std::nullopt;
  const double scale = std::pow(10.0, static_cast<double>(*places));
  const double result = std::trunc(*number * scale) / scale;
  return std::isfinite(result) ? RuleValue(rule_number_value(result)) : RuleValue(*number);
}

// Texts.

template <std::string (*Function)(std::string_view)>
RuleValue changed(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  return text ? bounded(Function(*text)) : RuleValue();
}
std::string lower(std::string_view text) {
  return base::to_lower(text);
}
std::string upper(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](char c) { return base::to_upper(c); });
  return made;
}
constexpr std::string_view kBlanks = " \t\r\n";
std::string trimmed(std::string_view text) {
  return std::string(base::trim(text, kBlanks));
}
std::string left_trimmed(std::string_view text) {
  return std::string(text.substr(std::min(text.find_first_not_of(kBlanks), text.size())));
}
std::string right_trimmed(std::string_view text) {
  const std::size_t last = text.find_last_not_of(kBlanks);
  return std::string(text.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

RuleValue concatenated(const Arguments& arguments, const Message&) {
  if (std::ranges::all_of(arguments, [](const RuleValue& one) { return one && one->is_array(); })) {
    json::array all;
    for (const RuleValue& one : arguments) {
      for (const json::value& item : one->get_array()) all.push_back(item);
    }
    return json::value(std::move(all));
  }
  std::string all;
  for (const RuleValue& one : arguments) {
    const auto text = rule_text(one);
    if (!text || all.size() + text->size() > RuleSql::kMostMade) return std::nullopt;
    all += *text;
  }
  return bounded(std::move(all));
}
RuleValue length(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  if (!text) return std::nullopt;
  return json::value(static_cast<std::int64_t>(base::count_code_points(*text)));
}
std::size_t byte_of_code_point(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += base::code_point_at(text, at).length;
  return at;
}
RuleValue part(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  const auto begin = index_of(arguments[1]);
  if (!text || !begin) return std::nullopt;
  const auto size = static_cast<std::int64_t>(base::count_code_points(*text));
  std::int64_t end = size;
  if (arguments.size() > 2) {
    const auto given = index_of(arguments[2]);
    if (!given) return std::nullopt;
    end = std::min(*given, size);
  }
  const std::int64_t first = std::max<std::int64_t>(*begin, 0);
  if (first >= end) return text_value("");
  const std::size_t at = byte_of_code_point(*text, static_cast<std::size_t>(first));
  const std::size_t to = byte_of_code_point(*text, static_cast<std::size_t>(end));
  return text_value(std::string_view(*text).substr(at, to - at));
}
RuleValue starts_with(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  const auto start = rule_text(arguments[1]);
  return text && start ? RuleValue(text->starts_with(*start)) : RuleValue();
}
RuleValue ends_with(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  const auto end = rule_text(arguments[1]);
  return text && end ? RuleValue(text->ends_with(*end)) : RuleValue();
}
RuleValue place_of(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  const auto wanted = rule_text(arguments[1]);
  if (!text || !wanted) return std::nullopt;
  const std::size_t at = text->find(*wanted);
  if (at == std::string::npos) return json::value(-1);
  return json::value(
      static_cast<std::int64_t>(base::count_code_points(std::string_view(*text).substr(0, at))));
}
RuleValue replaced(const Arguments& arguments, const Message&) {
  auto text = rule_text(arguments[0]);
  const auto what = rule_text(arguments[1]);
  const auto with = rule_text(arguments[2]);
  if (!text || !what || !with || what->empty()) return text ? text_value(*text) : RuleValue();
  std::string made;
  std::size_t at = 0;
  for (std::size_t found = text->find(*what); found != std::string::npos;
       found = text->find(*what, at)) {
    made.append(*text, at, found - at).append(*with);
    at = found + what->size();
    if (made.size() > RuleSql::kMostMade) return std::nullopt;
  }
  made.append(*text, at);
  return bounded(std::move(made));
}

// Undefined where the pattern is none, or takes too long.
template <typename Act>
RuleValue by_pattern(const Arguments& arguments, const Message& message, Act act) {
  const auto text = rule_text(arguments[0]);
  const auto pattern = rule_text(arguments[1]);
  if (!text || !pattern) return std::nullopt;
  try {
    const Regex regex(*pattern, {});
    Regex::Work alone;
    Regex::Work& work = message.patterns == nullptr ? alone : *message.patterns;
    return act([&](std::size_t from) { return regex.search(*text, from, work); }, *text);
  } catch (const base::Error&) {
    return std::nullopt;
  }
}
RuleValue pattern_matches(const Arguments& arguments, const Message& message) {
  return by_pattern(arguments, message, [](const auto& search, const std::string&) {
    return RuleValue(search(0).has_value());
  });
}
RuleValue pattern_part(const Arguments& arguments, const Message& message) {
  return by_pattern(arguments, message, [](const auto& search, const std::string& text) {
    const auto found = search(0);
    return found
               ? text_value(std::string_view(text).substr(found->begin, found->end - found->begin))
               : RuleValue();
  });
}
RuleValue pattern_replaced(const Arguments& arguments, const Message& message) {
  const auto with = rule_text(arguments[2]);
  if (!with) return std::nullopt;
  return by_pattern(arguments, message,
                    [&with](const auto& search, const std::string& text) -> RuleValue {
                      std::string made;
                      std::size_t at = 0;
                      for (std::size_t count = 0; at <= text.size(); ++count) {
                        const auto found = search(at);
                        if (!found) break;
                        if (count > kMostReplaced) return std::nullopt;
                        made.append(text, at, found->begin - at).append(*with);
                        if (made.size() > RuleSql::kMostMade) return std::nullopt;
                        at = found->end;
                        if (found->end != found->begin) continue;
                        if (at == text.size()) return bounded(std::move(made));
                        made += text[at++];
                      }
                      made.append(text, at);
                      return bounded(std::move(made));
                    });
}

RuleValue encoded(const Arguments& arguments, const Message& message) {
  const auto form = rule_text(arguments[1]);
  if (form != "base64" || !arguments[0]) return std::nullopt;
  // The message itself as its bytes are.
  if (message.payload != nullptr && *arguments[0] == *message.payload) {
    return bounded(base::to_base64(message.bytes));
  }
  return bounded(base::to_base64(rule_text(arguments[0]).value_or("")));
}
RuleValue decoded(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  if (!text || rule_text(arguments[1]) != "base64") return std::nullopt;
  const auto bytes = base::from_base64(*text);
  if (!bytes || !base::is_utf8(*bytes)) return std::nullopt;
  try {
    return base::parse_json(*bytes, "decode()");
  } catch (const base::Error&) {
    return bounded(*bytes);
  }
}

// Structure and kinds.

RuleValue element_of(const Arguments& arguments, const Message&) {
  const RuleValue& of = arguments[0];
  if (!of || !arguments[1]) return std::nullopt;
  if (const json::object* const object = of->if_object()) {
    const auto name = rule_text(arguments[1]);
    const json::value* const found = name ? object->if_contains(*name) : nullptr;
    return found == nullptr ? RuleValue() : RuleValue(*found);
  }
  const auto at = index_of(arguments[1]);
  if (!at || *at < 0) return std::nullopt;
  if (const json::array* const array = of->if_array()) {
    return *at < std::ssize(*array) ? RuleValue((*array)[static_cast<std::size_t>(*at)])
                                    : RuleValue();
  }
  return std::nullopt;
}
RuleValue is_null(const Arguments& arguments, const Message&) {
  return json::value(arguments[0] && arguments[0]->is_null());
}
RuleValue is_undefined(const Arguments& arguments, const Message&) {
  return json::value(!arguments[0]);
}

RuleValue formatted_time(const Arguments& arguments, const Message&) {
  const auto pattern = rule_text(arguments[0]);
  const auto millis = rule_number(arguments[1]);
  if (!pattern || !millis || std::abs(*millis) > 2.5e14) return std::nullopt;
  const auto text =
      format_rule_time(*pattern, base::from_epoch_millis(static_cast<std::int64_t>(*millis)));
  return text ? text_value(*text) : RuleValue();
}
RuleValue read_time(const Arguments& arguments, const Message&) {
  const auto text = rule_text(arguments[0]);
  const auto pattern = rule_text(arguments[1]);
  if (!text || !pattern) return std::nullopt;
  const auto time = parse_rule_time(*pattern, *text);
  return time ? RuleValue(base::to_epoch_millis(*time)) : RuleValue();
}

constexpr auto kFunctions = std::to_array<RuleFunctionRow>({
    {"abs", 1, 1, real<absolute>},
    {"accountid", 0, 0, account},
    {"acos", 1, 1, real<arc_cosine>},
    {"asin", 1, 1, real<arc_sine>},
    {"atan", 1, 1, real<arc_tangent>},
    {"ceil", 1, 1, real<ceiling>},
    {"concat", 1, 50, concatenated},
    {"cos", 1, 1, real<cosine>},
    {"decode", 2, 2, decoded},
    {"encode", 2, 2, encoded},
    {"endswith", 2, 2, ends_with},
    {"exp", 1, 1, real<exponential>},
    {"floor", 1, 1, real<floored>},
    {"get", 2, 2, element_of},
    {"indexof", 2, 2, place_of},
    {"isnull", 1, 1, is_null},
    {"isundefined", 1, 1, is_undefined},
    {"length", 1, 1, length},
    {"ln", 1, 1, real<natural_log>},
    {"log", 1, 1, real<decimal_log>},
    {"lower", 1, 1, changed<lower>},
    {"ltrim", 1, 1, changed<left_trimmed>},
    {"mod", 2, 2, modulo},
    {"newuuid", 0, 0, new_uuid},
    {"parse_time", 2, 2, formatted_time},
    {"power", 2, 2, power},
    {"rand", 0, 0, random},
    {"regexp_matches", 2, 2, pattern_matches},
    {"regexp_replace", 3, 3, pattern_replaced},
    {"regexp_substr", 2, 2, pattern_part},
    {"replace", 3, 3, replaced},
    {"round", 1, 1, real<rounded>},
    {"rtrim", 1, 1, changed<right_trimmed>},
    {"sign", 1, 1, real<sign_of>},
    {"sin", 1, 1, real<sine>},
    {"sqrt", 1, 1, real<root>},
    {"startswith", 2, 2, starts_with},
    {"substring", 2, 3, part},
    {"tan", 1, 1, real<tangent>},
    {"time_to_epoch", 2, 2, read_time},
    {"timestamp", 0, 0, timestamp},
    {"topic", 0, 1, topic},
    {"traceid", 0, 0, trace},
    {"trim", 1, 1, changed<trimmed>},
    {"trunc", 2, 2, truncated},
    {"upper", 1, 1, changed<upper>},
});

// AWS has these, too.
constexpr std::array<std::string_view, 36> kOthers{"atan2",
                                                   "aws_lambda",
                                                   "bitand",
                                                   "bitor",
                                                   "bitxor",
                                                   "bitnot",
                                                   "chr",
                                                   "clientid",
                                                   "cosh",
                                                   "get_dynamodb",
                                                   "get_mqtt_property",
                                                   "get_or_default",
                                                   "get_registry_data",
                                                   "get_secret",
                                                   "get_thing_shadow",
                                                   "get_user_properties",
                                                   "hashing",
                                                   "lpad",
                                                   "machinelearning_predict",
                                                   "md2",
                                                   "md5",
                                                   "mqtt_property",
                                                   "nanvl",
                                                   "numbytes",
                                                   "principal",
                                                   "rpad",
                                                   "sha1",
                                                   "sha224",
                                                   "sha256",
                                                   "sha384",
                                                   "sha512",
                                                   "sinh",
                                                   "sourceip",
                                                   "tanh",
                                                   "transform",
                                                   "sql_version"};

}  // namespace

const RuleFunctionRow* find_rule_function(std::string_view name) {
  const auto found = std::ranges::find_if(kFunctions, [name](const RuleFunctionRow& row) {
    return base::equal_ignoring_case(row.name, name);
  });
  return found == kFunctions.end() ? nullptr : &*found;
}

bool is_other_rule_function(std::string_view name) {
  return std::ranges::any_of(
      kOthers, [name](std::string_view one) { return base::equal_ignoring_case(one, name); });
}

}  // namespace andon::query
