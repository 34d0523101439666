// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "asl/data/failure.hpp"
#include "asl/data/intrinsic.hpp"
#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "query/document/hash.hpp"
#include "query/document/utf8.hpp"

namespace andon::asl {
namespace {

using Arguments = std::vector<json::value>;

constexpr std::size_t kMany = 10'000;
constexpr std::size_t kMaxText = 10'000;
constexpr std::size_t kMaxRange = 1'000;

[[noreturn]] void fail(const std::string& why) {
  throw failure(kIntrinsicFailure, why);
}

std::string ordinal(std::size_t index) {
  return "argument " + std::to_string(index + 1);
}

const json::array& array_at(const Arguments& arguments, std::size_t index) {
  if (const auto* array = arguments[index].if_array()) return *array;
  fail(ordinal(index) + " must be an array, but is " + base::to_text(arguments[index]));
}

std::string_view text_at(const Arguments& arguments, std::size_t index) {
  if (const auto* text = arguments[index].if_string()) return *text;
  fail(ordinal(index) + " must be a string, but is " + base::to_text(arguments[index]));
}

std::string_view limited_text_at(const Arguments& arguments, std::size_t index) {
  const std::string_view text = text_at(arguments, index);
  if (query::count_code_points(text) > kMaxText) {
    fail(ordinal(index) + " is longer than 10000 characters");
  }
  return text;
}

// Halves go up: 1.5 is 2, -1.5 is -1.
std::int64_t integer_at(const Arguments& arguments, std::size_t index) {
  const json::value& value = arguments[index];
  if (const auto* integer = value.if_int64()) return *integer;
  if (!value.is_number()) {
    fail(ordinal(index) + " must be a number, but is " + base::to_text(value));
  }
  const double rounded = std::floor(value.to_number<double>() + 0.5);
  constexpr double kLargest = 9e18;
  if (!(std::abs(rounded) < kLargest)) fail(ordinal(index) + " is too large");
  return static_cast<std::int64_t>(rounded);
}

std::int64_t small_integer_at(const Arguments& arguments, std::size_t index) {
  const std::int64_t value = integer_at(arguments, index);
  if (value < std::numeric_limits<std::int32_t>::min() ||
      value > std::numeric_limits<std::int32_t>::max()) {
    fail(ordinal(index) + " must be from -2147483648 to 2147483647");
  }
  return value;
}

// The text that Java makes of a value: {Arg1=1, Arg2=[]}.
void append_java_text(std::string& text, const json::value& value) {
  if (const auto* object = value.if_object()) {
    text += '{';
    bool first = true;
    for (const auto& member : *object) {
      if (!first) text += ", ";
      first = false;
      text += std::string_view(member.key());
      text += '=';
      append_java_text(text, member.value());
    }
    text += '}';
  } else if (const auto* array = value.if_array()) {
    text += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) text += ", ";
      append_java_text(text, (*array)[i]);
    }
    text += ']';
  } else if (const auto* string = value.if_string()) {
    text += std::string_view(*string);
  } else {
    text += base::to_text(value);
  }
}

json::value format(const Arguments& arguments, query::Random* /*random*/) {
  const std::string_view pattern = text_at(arguments, 0);
  std::string text;
  std::size_t used = 1;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\' && i + 1 < pattern.size()) {
      text += pattern[++i];
    } else if (c == '{' && pattern.substr(i, 2) == "{}") {
      if (used >= arguments.size()) fail("the template has more {} than there are arguments");
      append_java_text(text, arguments[used++]);
      ++i;
    } else if (c == '{' || c == '}') {
      fail("'" + std::string(1, c) + "' in the template must be written '\\" + std::string(1, c) +
           "'");
    } else {
      text += c;
    }
  }
  if (used != arguments.size()) fail("the template has fewer {} than there are arguments");
  return json::string(text);
}

json::value string_to_json(const Arguments& arguments, query::Random* /*random*/) {
  const std::string_view text = text_at(arguments, 0);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return nullptr;
  try {
    return base::parse_json(text, "the argument", {.max_bytes = 16U << 20U, .max_depth = 200});
  } catch (const base::Error& error) {
    fail(error.message());
  }
}

json::value json_to_string(const Arguments& arguments, query::Random* /*random*/) {
  return json::string(base::to_text(arguments[0]));
}

json::value array(const Arguments& arguments, query::Random* /*random*/) {
  return json::array(arguments.begin(), arguments.end());
}

json::value array_partition(const Arguments& arguments, query::Random* /*random*/) {
  const json::array& items = array_at(arguments, 0);
  const std::int64_t size = integer_at(arguments, 1);
  if (size < 1) fail("the size of a part must be 1 or more");
  json::array parts;
  for (std::size_t at = 0; at < items.size(); ++at) {
    if (at % static_cast<std::size_t>(size) == 0) parts.emplace_back(json::array());
    parts.back().get_array().push_back(items[at]);
  }
  return parts;
}

bool same(const json::value& left, const json::value& right) {
  if (left.is_number() && right.is_number()) {
    return left.to_number<double>() == right.to_number<double>();
  }
  return left == right;
}

json::value array_contains(const Arguments& arguments, query::Random* /*random*/) {
  return std::ranges::any_of(array_at(arguments, 0),
                             [&](const json::value& item) { return same(item, arguments[1]); });
}

json::value array_range(const Arguments& arguments, query::Random* /*random*/) {
  const std::int64_t first = small_integer_at(arguments, 0);
  const std::int64_t last = small_integer_at(arguments, 1);
  const std::int64_t step = small_integer_at(arguments, 2);
  if (step == 0) fail("the step must not be 0");
  json::array items;
  for (std::int64_t at = first; step > 0 ? at <= last : at >= last; at += step) {
    if (items.size() >= kMaxRange) fail("the range has more than 1000 items");
    items.emplace_back(at);
  }
  return items;
}

json::value array_get_item(const Arguments& arguments, query::Random* /*random*/) {
  const json::array& items = array_at(arguments, 0);
  const std::int64_t index = integer_at(arguments, 1);
  if (index < 0 || static_cast<std::size_t>(index) >= items.size()) {
    fail("index " + std::to_string(index) + " is out of bounds for an array of length " +
         std::to_string(items.size()));
  }
  return items[static_cast<std::size_t>(index)];
}

json::value array_length(const Arguments& arguments, query::Random* /*random*/) {
  return static_cast<std::int64_t>(array_at(arguments, 0).size());
}

json::value array_unique(const Arguments& arguments, query::Random* /*random*/) {
  json::array items;
  std::set<std::string> seen;
  for (const json::value& item : array_at(arguments, 0)) {
    if (seen.insert(base::to_text(item)).second) items.push_back(item);
  }
  return items;
}

json::value base64_encode(const Arguments& arguments, query::Random* /*random*/) {
  return json::string(base::to_base64(limited_text_at(arguments, 0)));
}

json::value base64_decode(const Arguments& arguments, query::Random* /*random*/) {
  const auto decoded = base::from_base64(limited_text_at(arguments, 0));
  if (!decoded) fail("the argument is not valid base64");
  return json::string(*decoded);
}

json::value hash(const Arguments& arguments, query::Random* /*random*/) {
  const std::string data = arguments[0].is_string() ? std::string(arguments[0].get_string())
                                                    : base::to_text(arguments[0]);
  if (query::count_code_points(data) > kMaxText) fail("argument 1 is longer than 10000 characters");
  const auto digest = query::hash_text(text_at(arguments, 1), data);
  if (!digest) fail("the algorithm must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512");
  return json::string(*digest);
}

json::value json_merge(const Arguments& arguments, query::Random* /*random*/) {
  const auto* left = arguments[0].if_object();
  const auto* right = arguments[1].if_object();
  if (left == nullptr || right == nullptr) fail("arguments 1 and 2 must be objects");
  if (!arguments[2].is_bool()) fail("argument 3 must be true or false");
  if (arguments[2].get_bool()) fail("the deep merging mode is not supported; use false");
  json::object merged = *left;
  for (const auto& member : *right) merged[member.key()] = member.value();
  return merged;
}

json::value math_random(const Arguments& arguments, query::Random* random) {
  const std::int64_t low = small_integer_at(arguments, 0);
  const std::int64_t high = small_integer_at(arguments, 1);
  if (low >= high) fail("the start must be less than the end");
  const auto width = static_cast<std::uint64_t>(high - low);
  if (arguments.size() == 3) {
    query::Random seeded(static_cast<std::uint64_t>(integer_at(arguments, 2)));
    return low + static_cast<std::int64_t>(seeded.next() % width);
  }
  return low + static_cast<std::int64_t>(random->next() % width);
}

json::value math_add(const Arguments& arguments, query::Random* /*random*/) {
  return small_integer_at(arguments, 0) + small_integer_at(arguments, 1);
}

json::value string_split(const Arguments& arguments, query::Random* /*random*/) {
  const std::string_view text = text_at(arguments, 0);
  const std::u32string splitters = query::to_code_points(text_at(arguments, 1));
  json::array pieces;
  std::string piece;
  const auto finish = [&] {
    if (!piece.empty()) pieces.emplace_back(piece);
    piece.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const query::CodePoint point = query::code_point_at(text, at);
    if (splitters.find(point.value) != std::u32string::npos) {
      finish();
    } else {
      piece += text.substr(at, point.length);
    }
    at += point.length;
  }
  finish();
  return pieces;
}

json::value uuid(const Arguments& /*arguments*/, query::Random* random) {
  return json::string(random->uuid());
}

struct Function {
  IntrinsicArity arity;
  json::value (*call)(const Arguments&, query::Random*);
};

const std::map<std::string_view, Function>& functions() {
  static const std::map<std::string_view, Function> table = {
      {"Format", {{1, kMany}, format}},
      {"StringToJson", {{1, 1}, string_to_json}},
      {"JsonToString", {{1, 1}, json_to_string}},
      {"Array", {{0, kMany}, array}},
      {"ArrayPartition", {{2, 2}, array_partition}},
      {"ArrayContains", {{2, 2}, array_contains}},
      {"ArrayRange", {{3, 3}, array_range}},
      {"ArrayGetItem", {{2, 2}, array_get_item}},
      {"ArrayLength", {{1, 1}, array_length}},
      {"ArrayUnique", {{1, 1}, array_unique}},
      {"Base64Encode", {{1, 1}, base64_encode}},
      {"Base64Decode", {{1, 1}, base64_decode}},
      {"Hash", {{2, 2}, hash}},
      {"JsonMerge", {{3, 3}, json_merge}},
      {"MathRandom", {{2, 3}, math_random}},
      {"MathAdd", {{2, 2}, math_add}},
      {"StringSplit", {{2, 2}, string_split}},
      {"UUID", {{0, 0}, uuid}},
  };
  return table;
}

}  // namespace

const IntrinsicArity* intrinsic_arity(std::string_view name) {
  const auto found = functions().find(name);
  return found == functions().end() ? nullptr : &found->second.arity;
}

json::value call_intrinsic(std::string_view name, const Arguments& arguments,
                           query::Random* random) {
  return functions().at(name).call(arguments, random);
}

}  // namespace andon::asl
