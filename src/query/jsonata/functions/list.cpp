// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::size_t kItemBytes = 48;

void add(Evaluator& evaluator, List& list, Value value) {
  evaluator.charge(kItemBytes);
  list.items.push_back(std::move(value));
}

// As many of (value, key or index, whole) as the function takes.
Items arguments_for(const Value& function, const Value& value, const Value& place,
                    const Value& whole) {
  Items arguments = {value};
  const std::size_t arity = Evaluator::arity(function);
  if (arity >= 2) arguments.push_back(place);
  if (arity >= 3) arguments.push_back(whole);
  return arguments;
}

Value map(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined()) return {};
  const ListPtr result = make_sequence();
  for (std::size_t i = 0; i < items.size(); ++i) {
    Value value = evaluator.call(
        arguments[1], arguments_for(arguments[1], items.item(i), static_cast<double>(i), items));
    if (!value.is_undefined()) add(evaluator, *result, std::move(value));
  }
  return result;
}

Value filter(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined()) return {};
  const ListPtr result = make_sequence();
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item = items.item(i);
    const Value verdict = evaluator.call(
        arguments[1], arguments_for(arguments[1], item, static_cast<double>(i), items));
    if (Evaluator::truth(verdict).value_or(false)) add(evaluator, *result, item);
  }
  return result;
}

Value single(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined()) return {};
  std::optional<Value> found;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Value item = items.item(i);
    bool fits = true;
    if (arguments.size() > 1 && arguments[1].is_function()) {
      fits = Evaluator::truth(
                 evaluator.call(arguments[1],
                                arguments_for(arguments[1], item, static_cast<double>(i), items)))
                 .value_or(false);
    }
    if (!fits) continue;
    if (found) {
      throw Error("D3138",
                  "The $single() function expected exactly 1 matching result.  Instead it matched "
                  "more.");
    }
    found = item;
  }
  if (!found) {
    throw Error(
        "D3139",
        "The $single() function expected exactly 1 matching result.  Instead it matched 0.");
  }
  return *found;
}

Value reduce(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined()) return {};
  const std::size_t arity = Evaluator::arity(arguments[1]);
  if (arity < 2) {
    throw Error("D3050",
                "The second argument of reduce function must be a function with at least two "
                "arguments");
  }
  Value result = arguments.size() > 2 ? arguments[2] : Value();
  std::size_t at = 0;
  if (result.is_undefined() && items.size() > 0) {
    result = items.item(0);
    at = 1;
  }
  for (; at < items.size(); ++at) {
    Items given = {result, items.item(at)};
    if (arity >= 3) given.emplace_back(static_cast<double>(at));
    if (arity >= 4) given.push_back(items);
    result = evaluator.call(arguments[1], std::move(given));
  }
  return result;
}

Value zip(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  std::size_t length = std::numeric_limits<std::size_t>::max();
  for (const Value& argument : arguments) {
    length = std::min(length, argument.is_list() ? argument.size() : 0);
  }
  if (arguments.empty()) length = 0;
  const ListPtr result = make_list();
  for (std::size_t i = 0; i < length; ++i) {
    const ListPtr row = make_list();
    for (const Value& argument : arguments) add(evaluator, *row, argument.item(i));
    add(evaluator, *result, row);
  }
  return result;
}

Value append(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  return evaluator.append(arguments[0], arguments[1]);
}

Value reverse(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined() || items.size() <= 1) return items;
  const ListPtr result = make_list();
  for (std::size_t i = items.size(); i > 0; --i) add(evaluator, *result, items.item(i - 1));
  return result;
}

Value shuffle(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined() || items.size() <= 1) return items;
  const ListPtr result = make_list();
  for (std::size_t i = 0; i < items.size(); ++i) add(evaluator, *result, items.item(i));
  Random* random = evaluator.environment().random;
  for (std::size_t i = items.size(); i > 1; --i) {
    std::swap(result->items[i - 1], result->items[random != nullptr ? random->next() % i : i - 1]);
  }
  return result;
}

// Equal values have equal texts, so that a list of n needs no n * n comparisons.
Value distinct(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (!items.is_list() || items.size() <= 1) return items;
  const ListPtr result = items.is_sequence() ? make_sequence() : make_list();
  std::unordered_multimap<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    evaluator.spend();
    const Value item = items.item(i);
    std::string key(1, type_letter(item));
    if (item.is_string()) key += item.string();
    if (item.is_number()) key += number_text(item.number());
    if (item.is_list()) key += std::to_string(item.size());
    if (item.is_object()) {
      item.each_member([&key](std::string_view name, const Value& value) {
        // The order of members does not matter, so only order-free parts may enter the key.
        std::size_t mix = std::hash<std::string_view>{}(name);
        if (value.is_string()) mix ^= std::hash<std::string>{}(value.string()) * 31;
        if (value.is_number()) mix ^= std::hash<double>{}(value.number()) * 31;
        key.resize(1 + sizeof(mix));
        for (std::size_t b = 0; b < sizeof(mix); ++b) {
          key[1 + b] = static_cast<char>(key[1 + b] + static_cast<char>((mix >> (8 * b)) & 0x7F));
        }
      });
    }
    const auto [first, last] = seen.equal_range(key);
    const bool known = std::any_of(first, last, [&](const auto& entry) {
      evaluator.spend();
      return deep_equal(result->items[entry.second], item);
    });
    if (known) continue;
    seen.emplace(std::move(key), result->items.size());
    add(evaluator, *result, item);
  }
  return result;
}

Value sort(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& items = arguments[0];
  if (items.is_undefined() || items.size() <= 1) return items;
  Items sorted;
  for (std::size_t i = 0; i < items.size(); ++i) sorted.push_back(items.item(i));
  evaluator.charge(sorted.size() * kItemBytes);
  if (arguments.size() > 1 && arguments[1].is_function()) {
    evaluator.sort(sorted, [&](const Value& a, const Value& b) {
      return Evaluator::truth(evaluator.call(arguments[1], {a, b})).value_or(false);
    });
    return make_list(std::move(sorted));
  }
  const bool numbers = std::ranges::all_of(sorted, [](const Value& v) { return v.is_number(); });
  const bool strings = std::ranges::all_of(sorted, [](const Value& v) { return v.is_string(); });
  if (!numbers && !strings) {
    throw Error("D3070",
                "The single argument form of the sort function can only be applied to an array of "
                "strings or an array of numbers.  Use the second argument to specify a comparison "
                "function");
  }
  evaluator.sort(sorted, [&](const Value& a, const Value& b) {
    return numbers ? a.number() > b.number() : compare_utf16(a.string(), b.string()) > 0;
  });
  return make_list(std::move(sorted));
}

}  // namespace

const std::vector<NativeEntry>& list_functions() {
  static const std::vector<NativeEntry> table = {
      {"map", "<af>", 2, map},
      {"filter", "<af>", 2, filter},
      {"single", "<af?>", 2, single},
      {"reduce", "<afj?:j>", 3, reduce},
      {"zip", "<a+>", 0, zip},
      {"append", "<xx:a>", 2, append},
      {"reverse", "<a:a>", 1, reverse},
      {"shuffle", "<a:a>", 1, shuffle},
      {"distinct", "<x:x>", 1, distinct},
      {"sort", "<af?:a>", 2, sort},
  };
  return table;
}

}  // namespace andon::query::jsonata
