// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

void add(Evaluator& evaluator, List& list, Value value) {
  evaluator.charge(48);
  list.items.push_back(std::move(value));
}

Items arguments_for(const Value& function, const Value& value, std::string_view key,
                    const Value& whole) {
  Items arguments = {value};
  const std::size_t arity = Evaluator::arity(function);
  if (arity >= 2) arguments.emplace_back(std::string(key));
  if (arity >= 3) arguments.push_back(whole);
  return arguments;
}

Value sift(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& object = arguments[0];
  auto result = std::make_shared<Record>();
  if (!arguments[1].is_function()) return {};
  object.each_member([&](std::string_view key, const Value& value) {
    const Value verdict =
        evaluator.call(arguments[1], arguments_for(arguments[1], value, key, object));
    if (Evaluator::truth(verdict).value_or(false)) result->set(key, value);
  });
  return result->members.empty() ? Value() : Value(result);
}

Value each(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& object = arguments[0];
  const ListPtr result = make_sequence();
  object.each_member([&](std::string_view key, const Value& value) {
    Value made = evaluator.call(arguments[1], arguments_for(arguments[1], value, key, object));
    if (!made.is_undefined()) add(evaluator, *result, std::move(made));
  });
  return result;
}

void collect_keys(Evaluator& evaluator, const Value& value, List& keys,
                  std::set<std::string, std::less<>>& seen, std::size_t depth) {
  if (depth > 400) throw Error("D1011", "Stack overflow. The value is nested too deeply");
  for (std::size_t i = 0; i < value.size(); ++i) {
    collect_keys(evaluator, value.item(i), keys, seen, depth + 1);
  }
  value.each_member([&](std::string_view key, const Value& /*member*/) {
    if (seen.insert(std::string(key)).second) add(evaluator, keys, std::string(key));
  });
}

Value keys(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const ListPtr result = make_sequence();
  std::set<std::string, std::less<>> seen;
  collect_keys(evaluator, arguments[0], *result, seen, 0);
  return result;
}

Value lookup(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (!arguments[1].is_string()) return {};
  return evaluator.look_up(arguments[0], arguments[1].string());
}

void spread_into(Evaluator& evaluator, const Value& value, List& list, std::size_t depth) {
  if (depth > 400) throw Error("D1011", "Stack overflow. The value is nested too deeply");
  if (value.is_list()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      spread_into(evaluator, value.item(i), list, depth + 1);
    }
  } else if (value.is_object()) {
    value.each_member([&](std::string_view key, const Value& member) {
      auto record = std::make_shared<Record>();
      record->set(key, member);
      add(evaluator, list, std::move(record));
    });
  } else {
    add(evaluator, list, value);
  }
}

Value spread(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  const Value& value = arguments[0];
  if (!value.is_list() && !value.is_object()) return value;
  // What was put together from several parts is a plain list, an object's members a sequence.
  const ListPtr result = value.is_list() && value.size() > 0 ? make_list() : make_sequence();
  spread_into(evaluator, value, *result, 0);
  return result;
}

Value merge(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  auto result = std::make_shared<Record>();
  for (std::size_t i = 0; i < arguments[0].size(); ++i) {
    arguments[0].item(i).each_member([&](std::string_view key, const Value& value) {
      evaluator.charge(48 + key.size());
      result->set(key, value);
    });
  }
  return result;
}

Value boolean(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  const auto truth = Evaluator::truth(arguments[0]);
  return truth ? Value(*truth) : Value();
}

Value negation(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  const auto truth = Evaluator::truth(arguments[0]);
  return truth ? Value(!*truth) : Value();
}

Value exists(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  return !arguments[0].is_undefined();
}

Value type(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  const Value& value = arguments[0];
  if (value.is_undefined()) return {};
  if (value.is_null()) return std::string("null");
  if (value.is_number()) return std::string("number");
  if (value.is_string()) return std::string("string");
  if (value.is_bool()) return std::string("boolean");
  if (value.is_list()) return std::string("array");
  return std::string(value.is_function() ? "function" : "object");
}

Value error(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  const bool given =
      !arguments.empty() && arguments[0].is_string() && !arguments[0].string().empty();
  throw Error("D3137", given ? arguments[0].string() : "$error() function evaluated");
}

Value assert_that(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_bool() && arguments[0].boolean()) return {};
  const bool given =
      arguments.size() > 1 && arguments[1].is_string() && !arguments[1].string().empty();
  throw Error("D3141", given ? arguments[1].string() : "$assert() statement failed");
}

Value clone(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  return deep_copy(arguments[0]);
}

}  // namespace

const std::vector<NativeEntry>& object_functions() {
  static const std::vector<NativeEntry> table = {
      {"sift", "<o-f?:o>", 2, sift},      {"each", "<o-f:a>", 2, each},
      {"keys", "<x-:a<s>>", 1, keys},     {"lookup", "<x-s:x>", 2, lookup},
      {"spread", "<x-:a<o>>", 1, spread}, {"merge", "<a<o>:o>", 1, merge},
      {"boolean", "<x-:b>", 1, boolean},  {"not", "<x-:b>", 1, negation},
      {"exists", "<x:b>", 1, exists},     {"type", "<x:s>", 1, type},
      {"error", "<s?:x>", 1, error},      {"assert", "<bs?:x>", 2, assert_that},
      {"clone", "<(oa)-:o>", 1, clone},
  };
  return table;
}

}  // namespace andon::query::jsonata
