// SPDX-License-Identifier: Apache-2.0
#include "events/pattern/matcher.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::events {
namespace {

constexpr double kLargestNumber = 5e9;
constexpr double kMillion = 1e6;
constexpr std::int64_t kBitsOfV4 = 31;
constexpr std::int64_t kBitsOfV6 = 127;

struct Named {
  std::string_view name;
  Matcher::Kind kind;
};
constexpr std::array kTexts = {Named{"prefix", Matcher::Kind::prefix},
                               Named{"suffix", Matcher::Kind::suffix},
                               Named{"equals-ignore-case", Matcher::Kind::ignore_case},
                               Named{"wildcard", Matcher::Kind::wildcard}};

const Named* text_kind(std::string_view name) {
  const auto* found = std::ranges::find(kTexts, name, &Named::name);
  return found == kTexts.end() ? nullptr : found;
}

std::string_view name_of(Matcher::Kind kind) {
  return std::ranges::find(kTexts, kind, &Named::kind)->name;
}

void check_wildcard(std::string_view wildcard) {
  std::size_t stars = 0;
  for (std::size_t i = 0; i < wildcard.size(); ++i) {
    // Places are counted with the quote before the text.
    if (wildcard[i] == '*') {
      ++stars;
      if (wildcard.substr(i + 1).starts_with('*')) {
        refuse_pattern("Consecutive wildcard characters at pos " + std::to_string(i + 1));
      }
    } else if (wildcard[i] == '\\') {
      const std::string_view next = wildcard.substr(i + 1, 1);
      if (next != "*" && next != "\\") {
        refuse_pattern("Invalid escape character at pos " + std::to_string(i + 1));
      }
      ++i;
    }
  }
  if (stars > kMostWildcards) {
    refuse_pattern(
        "Rule is too complex - try using fewer wildcard characters or fewer repeating character "
        "sequences after a wildcard character");
  }
}

std::string folded(std::string_view text, bool ignores_case) {
  return ignores_case ? base::to_lower(text) : std::string(text);
}

// Which bits of `byte` belong to a network of `bits` bits, `before` of them in earlier bytes.
unsigned char mask_of(unsigned bits, std::size_t byte) {
  constexpr unsigned kByte = 8;
  const unsigned before = static_cast<unsigned>(byte) * kByte;
  if (bits >= before + kByte) return 0xFF;
  if (bits <= before) return 0;
  return static_cast<unsigned char>(0xFFU << (kByte - (bits - before)));
}

std::size_t read_address(const std::string& text, std::array<unsigned char, 16>& address) {
  if (inet_pton(AF_INET, text.c_str(), address.data()) == 1) return 4;
  if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return 16;
  return 0;
}

}  // namespace

void refuse_pattern(const std::string& reason) {
  throw base::Error(base::ErrorCode::invalid_argument,
                    "Event pattern is not valid. Reason: " + reason);
}

std::optional<std::int64_t> comparable_number(const json::value& value) {
  if (!value.is_number()) return std::nullopt;
  const auto number = value.to_number<double>();
  if (!(std::abs(number) <= kLargestNumber)) return std::nullopt;
  return std::llround(number * kMillion);
}

bool matches_wildcard(std::string_view wildcard, std::string_view text) {
  std::size_t at = 0;
  std::size_t seen = 0;
  std::optional<std::size_t> star;  // where the last one stands, and what it has taken so far
  std::size_t taken = 0;
  while (seen < text.size()) {
    const bool is_star = at < wildcard.size() && wildcard[at] == '*';
    if (is_star) {
      star = at++;
      taken = seen;
      continue;
    }
    const bool is_escaped = at + 1 < wildcard.size() && wildcard[at] == '\\';
    const std::size_t letter = at + (is_escaped ? 1 : 0);
    if (letter < wildcard.size() && wildcard[letter] == text[seen]) {
      at = letter + 1;
      ++seen;
    } else if (star) {
      at = *star + 1;
      seen = ++taken;
    } else {
      return false;
    }
  }
  return at == wildcard.size() || wildcard.substr(at) == "*";
}

Matcher::Matcher(const json::value& written) {
  if (written.is_array()) {
    refuse_pattern("Match value must be String, number, true, false, or null");
  }
  const auto* object = written.if_object();
  if (object == nullptr) {
    what_ = literal(written);
    return;
  }
  if (object->empty()) refuse_pattern("Empty match expression is not allowed");
  // Of several the first counts.
  const std::string_view name = object->begin()->key();
  const json::value& value = object->begin()->value();
  if (const Named* named = text_kind(name)) {
    what_ = text(named->kind, value);
  } else if (name == "anything-but") {
    what_ = none_of(value);
  } else if (name == "numeric") {
    what_ = range(value);
  } else if (name == "cidr") {
    what_ = network(value);
  } else if (name == "exists") {
    if (!value.is_bool()) {
      refuse_pattern("exists match pattern must be either true or false.");
    }
    what_ = Exists{value.get_bool()};
  } else {
    refuse_pattern("Unrecognized match type " + std::string(name));
  }
}

Matcher::Literal Matcher::literal(const json::value& value) {
  return {value, comparable_number(value)};
}

Matcher::Text Matcher::text(Kind kind, const json::value& value) {
  Text made{.kind = kind, .ignores_case = kind == Kind::ignore_case, .text = {}};
  const json::value* given = &value;
  if (const auto* inner = value.if_object();
      inner != nullptr && (kind == Kind::prefix || kind == Kind::suffix)) {
    if (inner->empty() || inner->begin()->key() != "equals-ignore-case") {
      refuse_pattern("Unsupported " + std::string(name_of(kind)) + " pattern: " +
                     (inner->empty() ? std::string() : std::string(inner->begin()->key())));
    }
    made.ignores_case = true;
    given = &inner->begin()->value();
  }
  if (!given->is_string()) {
    refuse_pattern(std::string(name_of(kind)) + " match pattern must be a string");
  }
  made.text = folded(given->get_string(), made.ignores_case);
  if (kind == Kind::wildcard) check_wildcard(made.text);
  return made;
}

Matcher::NoneOf Matcher::none_of(const json::value& value) {
  NoneOf none;
  if (const auto* object = value.if_object()) {
    const std::string name = object->empty() ? std::string() : std::string(object->begin()->key());
    const Named* named = text_kind(name);
    if (named == nullptr) refuse_pattern("Unsupported anything-but pattern: " + name);
    const json::value& inner = object->begin()->value();
    const json::array one{inner};
    const json::array& all = inner.is_array() ? inner.get_array() : one;
    if (inner.is_object()) {
      refuse_pattern("Value of anything-but must be an array or single string/number value.");
    }
    if (all.empty()) refuse_pattern("Empty arrays are not allowed");
    for (const json::value& item : all) {
      const bool is_end = named->kind == Kind::prefix || named->kind == Kind::suffix;
      if (!item.is_string()) {
        refuse_pattern(is_end ? "prefix/suffix match pattern must be a string"
                       : named->kind == Kind::wildcard
                           ? "wildcard match pattern must be a string"
                           : "Inside anything-but/" + name +
                                 " list, number|start|null|boolean is not supported.");
      }
      if (is_end && item.get_string().empty()) refuse_pattern("Null prefix/suffix not allowed");
      none.others.emplace_back(text(named->kind, item));
    }
    return none;
  }
  const json::array one{value};
  const json::array& all = value.is_array() ? value.get_array() : one;
  if (all.empty()) refuse_pattern("Empty arrays are not allowed");
  for (const json::value& item : all) {
    if (!item.is_string() && !item.is_number()) {
      refuse_pattern(value.is_array()
                         ? "Inside anything-but list, start|null|boolean is not supported."
                         : "Value of anything-but must be an array or single string/number value.");
    }
    if (item.is_string() != all.front().is_string()) {
      refuse_pattern(
          "Inside anything but list, either all values are number or string, mixed type is not "
          "supported");
    }
    none.others.emplace_back(literal(item));
  }
  return none;
}

Matcher::NumberRange Matcher::range(const json::value& value) {
  const auto* list = value.if_array();
  if (list == nullptr) refuse_pattern("Value of numeric must be an array.");
  if (list->empty()) refuse_pattern("Invalid member in numeric match: ]");
  NumberRange made;
  for (std::size_t i = 0; i < list->size(); i += 2) {
    const json::value& sign = (*list)[i];
    if (i > 2) refuse_pattern("Too many terms in numeric range expression");
    if (!sign.is_string()) {
      refuse_pattern(
          (i == 0 ? "Invalid member in numeric match: " : "Bad value in numeric range: ") +
          base::to_text(sign));
    }
    const std::string name(sign.get_string());
    const bool is_upper = name == "<" || name == "<=";
    const bool is_lower = name == ">" || name == ">=";
    if (i == 0 && !is_upper && !is_lower && name != "=") {
      refuse_pattern("Unrecognized numeric range operator: " + name);
    }
    if (i > 0 && !is_upper) refuse_pattern("Bad numeric range operator: " + name);
    if (i > 0 && !made.above) refuse_pattern("Too many elements in numeric expression");
    if (i + 1 >= list->size() || !(*list)[i + 1].is_number()) {
      refuse_pattern("Value of " + (name == "=" ? "equals" : name) + " must be numeric");
    }
    const auto number = comparable_number((*list)[i + 1]);
    if (!number) refuse_pattern("Value must be between -5.0E9 and 5.0E9, inclusive");
    if (name == "=") {
      if (list->size() > 2) refuse_pattern("Too many elements in numeric expression");
      return {.above = number, .below = number, .includes_above = true, .includes_below = true};
    }
    if (is_lower) {
      made.above = number;
      made.includes_above = name == ">=";
    } else {
      made.below = number;
      made.includes_below = name == "<=";
      if (i == 0 && list->size() > 2) refuse_pattern("Too many elements in numeric expression");
    }
  }
  if (made.above && made.below && *made.above >= *made.below) {
    refuse_pattern("Bottom must be less than top");
  }
  return made;
}

Matcher::Network Matcher::network(const json::value& value) {
  // In the original it is the prefix that says so.
  if (!value.is_string()) refuse_pattern("prefix match pattern must be a string");
  const std::string_view whole = value.get_string();
  const auto parts = base::split(whole, '/');
  if (parts.size() != 2) refuse_pattern("Malformed CIDR, one '/' required");
  const auto bits = base::parse_int64(parts[1]);
  if (!bits) refuse_pattern("Malformed CIDR, mask bits must be an integer");
  if (*bits < 0) refuse_pattern("Malformed CIDR, mask bits must not be negative");
  Network made;
  made.bytes = read_address(std::string(parts[0]), made.address);
  if (made.bytes == 0) refuse_pattern("Nonstandard IP address: " + std::string(parts[0]));
  if (made.bytes == 4 && *bits > kBitsOfV4) refuse_pattern("IPv4 mask bits must be < 32");
  if (*bits > kBitsOfV6) refuse_pattern("IPv6 mask bits must be < 128");
  made.bits = static_cast<unsigned>(*bits);
  return made;
}

bool Matcher::is_absence() const {
  const auto* exists = std::get_if<Exists>(&what_);
  return exists != nullptr && !exists->wanted;
}

bool Matcher::matches(const json::value& value) const {
  return std::visit([&value](const auto& one) { return matches(one, value); }, what_);
}

bool Matcher::matches(const Literal& literal, const json::value& value) {
  if (literal.number) return comparable_number(value) == literal.number;
  if (literal.value.is_number()) {
    return value.is_number() && base::to_text(value) == base::to_text(literal.value);
  }
  return literal.value == value;
}

bool Matcher::matches(const Text& text, const json::value& value) {
  if (!value.is_string()) return false;
  const std::string given = folded(value.get_string(), text.ignores_case);
  switch (text.kind) {
    case Kind::prefix:
      return given.starts_with(text.text);
    case Kind::suffix:
      return given.ends_with(text.text);
    case Kind::wildcard:
      return matches_wildcard(text.text, given);
    case Kind::ignore_case:
      break;
  }
  return given == text.text;
}

bool Matcher::matches(const NumberRange& range, const json::value& value) {
  const auto number = comparable_number(value);
  if (!number) return false;
  if (range.above && (range.includes_above ? *number < *range.above : *number <= *range.above)) {
    return false;
  }
  return !range.below || (range.includes_below ? *number <= *range.below : *number < *range.below);
}

bool Matcher::matches(const Network& network, const json::value& value) {
  if (!value.is_string()) return false;
  std::array<unsigned char, 16> address{};
  if (read_address(std::string(value.get_string()), address) != network.bytes) return false;
  for (std::size_t i = 0; i < network.bytes; ++i) {
    const unsigned char mask = mask_of(network.bits, i);
    if ((address[i] & mask) != (network.address[i] & mask)) return false;
  }
  return true;
}

bool Matcher::matches(const Exists& exists, const json::value& /*value*/) {
  return exists.wanted;
}

bool Matcher::matches(const NoneOf& none, const json::value& value) {
  return std::ranges::none_of(none.others, [&value](const auto& other) {
    return std::visit([&value](const auto& one) { return matches(one, value); }, other);
  });
}

}  // namespace andon::events
