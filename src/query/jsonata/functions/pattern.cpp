// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/error/error.hpp"
#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

// The byte where UTF-16 unit `unit` of `text` begins.
std::size_t byte_of_unit(std::string_view text, double unit) {
  std::size_t at = 0;
  for (double units = 0; units < unit && at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    units += point.value >= 0x10000 ? 2 : 1;
    at += point.length;
  }
  return at;
}

// The matches of a regular expression, or of a function that works like one, one after the other.
class Matches {
 public:
  struct Match {
    std::size_t begin = 0;  // bytes of the text
    std::size_t end = 0;
    Value object;
  };

  Matches(Evaluator& evaluator, const Value& matcher, const std::string& text)
      : evaluator_(evaluator), text_(text), next_(matcher), arguments_({Value(text)}) {}

  std::optional<Match> next() {
    const Value object = evaluator_.call(next_, arguments_);
    arguments_.clear();
    if (object.is_undefined()) return std::nullopt;
    const Value start = object.member("start");
    const Value end = object.member("end");
    next_ = object.member("next");
    if (!start.is_number() || !end.is_number() || !object.member("groups").is_list() ||
        !next_.is_function() || !object.member("match").is_string()) {
      throw Error("T1010",
                  "The matcher function argument passed to function does not return the correct "
                  "object structure");
    }
    // The text is walked once over all matches.
    const std::size_t begin =
        walked_byte_ +
        byte_of_unit(std::string_view(text_).substr(walked_byte_), start.number() - walked_unit_);
    const std::size_t finish =
        std::min(begin + object.member("match").string().size(), text_.size());
    walked_byte_ = begin;
    walked_unit_ = start.number();
    return Match{begin, finish, object};
  }

 private:
  Evaluator& evaluator_;
  const std::string& text_;
  Value next_;
  Items arguments_;
  std::size_t walked_byte_ = 0;
  double walked_unit_ = 0;
};

std::optional<double> limit_of(const Items& arguments, std::size_t index, const char* code,
                               const char* message) {
  if (arguments.size() <= index || arguments[index].is_undefined()) return std::nullopt;
  const double limit = arguments[index].number();
  if (limit < 0) throw Error(code, message);
  return limit;
}

bool below(const std::optional<double>& limit, double count) {
  return !limit || count < *limit;
}

Value match(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const auto limit = limit_of(
      arguments, 2, "D3040", "Third argument of match function must evaluate to a positive number");
  const ListPtr result = make_sequence();
  if (limit && !(*limit > 0)) return result;
  const std::string& text = arguments[0].string();
  Matches matches(evaluator, arguments[1], text);
  for (double count = 0; below(limit, count); ++count) {
    const auto found = matches.next();
    if (!found) break;
    auto record = std::make_shared<Record>();
    record->set("match", found->object.member("match"));
    record->set("index", found->object.member("start"));
    record->set("groups", found->object.member("groups"));
    evaluator.charge(200);
    result->items.emplace_back(std::move(record));
  }
  return result;
}

Value contains(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined() || arguments[1].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  evaluator.spend(text.size() / 64);
  if (arguments[1].is_string()) return text.find(arguments[1].string()) != std::string::npos;
  return Matches(evaluator, arguments[1], text).next().has_value();
}

// "$1", "$0" and "$$" in a replacement text.
std::string substitute(const std::string& replacement, const Value& match) {
  const Value groups = match.member("groups");
  const std::size_t count = groups.size();
  std::size_t most_digits = 1;
  for (std::size_t n = count; n >= 10; n /= 10) ++most_digits;
  std::string result;
  for (std::size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '$') {
      result += replacement[i];
      continue;
    }
    const char next = i + 1 < replacement.size() ? replacement[i + 1] : '\0';
    if (next == '$') {
      result += '$';
      ++i;
      continue;
    }
    if (next == '0') {
      result += match.member("match").string();
      ++i;
      continue;
    }
    const auto read = [&](std::size_t digits) {
      std::size_t value = 0;
      std::size_t used = 0;
      while (used < digits && i + 1 + used < replacement.size() &&
             replacement[i + 1 + used] >= '0' && replacement[i + 1 + used] <= '9') {
        value = value * 10 + static_cast<std::size_t>(replacement[i + 1 + used] - '0');
        ++used;
      }
      return std::pair{value, used};
    };
    auto [index, used] = read(most_digits);
    if (most_digits > 1 && index > count) std::tie(index, used) = read(most_digits - 1);
    if (used == 0) {
      result += '$';
      continue;
    }
    const Value group = index >= 1 ? groups.item(index - 1) : Value();
    if (group.is_string()) result += group.string();
    i += used;
  }
  return result;
}

Value replace(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  if (arguments[1].is_string() && arguments[1].string().empty()) {
    throw Error("D3010", "Second argument of replace function cannot be an empty string");
  }
  const auto limit =
      limit_of(arguments, 3, "D3011",
               "Fourth argument of replace function must evaluate to a positive number");
  if (limit && !(*limit > 0)) return text;
  if (arguments[1].is_undefined()) return text;
  std::string result;
  std::size_t at = 0;
  double count = 0;
  if (arguments[1].is_string()) {
    const std::string& pattern = arguments[1].string();
    const std::string replacement = arguments[2].is_string() ? arguments[2].string() : "undefined";
    for (; below(limit, count); ++count) {
      const std::size_t found = text.find(pattern, at);
      if (found == std::string::npos) break;
      result.append(text, at, found - at).append(replacement);
      evaluator.charge(found - at + replacement.size());
      at = found + pattern.size();
      evaluator.spend();
    }
    evaluator.charge(text.size() - at);
    return result + text.substr(at);
  }
  Matches matches(evaluator, arguments[1], text);
  for (; below(limit, count); ++count) {
    const auto found = matches.next();
    if (!found) break;
    if (found->begin < at) break;
    result.append(text, at, found->begin - at);
    const std::size_t before = result.size();
    if (arguments[2].is_string()) {
      result += substitute(arguments[2].string(), found->object);
    } else {
      const Value replaced = evaluator.call(arguments[2], {found->object});
      if (!replaced.is_string()) {
        throw Error("D3012", "Attempted to replace a matched string with a non-string value");
      }
      result += replaced.string();
    }
    evaluator.charge(result.size() - before + found->begin - at);
    at = found->end;
  }
  evaluator.charge(text.size() - at);
  return result + text.substr(at);
}

Value split(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  const auto limit = limit_of(
      arguments, 2, "D3020", "Third argument of split function must evaluate to a positive number");
  const ListPtr result = make_list();
  if (limit && !(*limit > 0)) return result;
  const auto add = [&](std::string piece) {
    evaluator.charge(piece.size() + 48);
    evaluator.spend();
    result->items.emplace_back(std::move(piece));
  };
  if (arguments[1].is_undefined()) {
    add(text);
    return result;
  }
  const auto room = [&] { return below(limit, static_cast<double>(result->items.size())); };
  std::size_t at = 0;
  if (arguments[1].is_string()) {
    // JavaScript cuts the limit to a whole number here, and not with patterns.
    const auto whole = limit ? std::optional(std::floor(*limit)) : std::nullopt;
    const auto full = [&] { return !below(whole, static_cast<double>(result->items.size())); };
    const std::string& separator = arguments[1].string();
    if (separator.empty()) {
      while (at < text.size() && !full()) {
        const std::size_t length = code_point_at(text, at).length;
        add(text.substr(at, length));
        at += length;
      }
      return result;
    }
    while (!full()) {
      const std::size_t found = text.find(separator, at);
      add(text.substr(at, found == std::string::npos ? found : found - at));
      if (found == std::string::npos) break;
      at = found + separator.size();
    }
    return result;
  }
  Matches matches(evaluator, arguments[1], text);
  bool any = false;
  while (room()) {
    const auto found = matches.next();
    if (!found) break;
    any = true;
    add(text.substr(at, found->begin - std::min(at, found->begin)));
    at = found->end;
  }
  if (!any) {
    add(text);
  } else if (room()) {
    add(text.substr(at));
  }
  return result;
}

}  // namespace

const std::vector<NativeEntry>& pattern_functions() {
  static const std::vector<NativeEntry> table = {
      {"match", "<s-f<s:o>n?:a<o>>", 3, match},
      {"contains", "<s-(sf):b>", 2, contains},
      {"replace", "<s-(sf)(sf)n?:s>", 4, replace},
      {"split", "<s-(sf)n?:a<s>>", 3, split},
  };
  return table;
}

}  // namespace andon::query::jsonata
