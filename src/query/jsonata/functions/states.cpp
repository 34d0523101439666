// SPDX-License-Identifier: Apache-2.0
// What Step Functions adds to JSONata: $parse, $partition, $range, $hash, $uuid and a $random that
// takes a seed. $eval is not there.
#include <cmath>

#include "base/error/error.hpp"
#include "query/document/hash.hpp"
#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::size_t kMostRange = 360'145;

Value random(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (!arguments.empty() && arguments[0].is_number()) {
    Random seeded(
        static_cast<std::uint64_t>(std::hash<double>{}(std::trunc(arguments[0].number()))));
    return seeded.uniform();
  }
  Random* source = evaluator.environment().random;
  return source != nullptr ? source->uniform() : 0.5;
}

Value uuid(Evaluator& evaluator, const Items& /*arguments*/, const Value& /*context*/) {
  Random fallback(0);
  Random* source = evaluator.environment().random;
  return (source != nullptr ? *source : fallback).uuid();
}

Value parse(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.charge(4 * arguments[0].string().size());
  try {
    return deep_copy(Value::view(base::parse_json(arguments[0].string(), "the argument of $parse",
                                                  {.max_bytes = 16U << 20U, .max_depth = 200})));
  } catch (const base::Error& error) {
    throw Error("", error.message());
  }
}

Value partition(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined() || arguments[1].is_undefined() || items.size() == 0) return {};
  const double size = std::trunc(arguments[1].number());
  if (!(size != 0)) return {};
  if (size < 0) throw Error("", "The chunk size of $partition must be positive");
  const ListPtr parts = make_sequence();
  for (std::size_t i = 0; i < items.size(); ++i) {
    evaluator.charge(48);
    const ListPtr last = parts->items.empty() ? nullptr : parts->items.back().list_ptr();
    if (last == nullptr || static_cast<double>(last->items.size()) >= size) {
      parts->items.emplace_back(make_list());
    }
    parts->items.back().list()->items.push_back(items.item(i));
  }
  parts->sequence = false;
  return parts;
}

Value range(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  for (const Value& argument : arguments) {
    if (argument.is_undefined()) return {};
  }
  const double first = std::trunc(arguments[0].number());
  const double last = std::trunc(arguments[1].number());
  const double step = std::trunc(arguments[2].number());
  if (step == 0 || !std::isfinite(first) || !std::isfinite(last) || !std::isfinite(step)) return {};
  const double count = std::floor((last - first) / step) + 1;
  if (!(count >= 1)) return {};
  if (count > static_cast<double>(kMostRange)) {
    throw Error("", "Expression evaluation memory limit exceeded");
  }
  const ListPtr result = make_sequence();
  evaluator.charge(static_cast<std::size_t>(count) * 48);
  for (double i = 0; i < count; ++i) result->items.emplace_back(first + i * step);
  return result;
}

Value hash(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined() || arguments[1].is_undefined()) return {};
  evaluator.spend(arguments[0].string().size() / 64);
  const auto digest = hash_text(arguments[1].string(), arguments[0].string());
  if (!digest) {
    throw Error("", "The algorithm of $hash must be one of MD5, SHA-1, SHA-256, SHA-384, SHA-512");
  }
  return *digest;
}

}  // namespace

const std::vector<NativeEntry>& states_functions() {
  static const std::vector<NativeEntry> table = {
      {"random", "<n?:n>", 0, random},   {"uuid", "<:s>", 0, uuid},
      {"parse", "<s-:x>", 1, parse},     {"partition", "<a-n?:a>", 2, partition},
      {"range", "<n-n?n?:a>", 3, range}, {"hash", "<s-s?:s>", 2, hash},
  };
  return table;
}

}  // namespace andon::query::jsonata
