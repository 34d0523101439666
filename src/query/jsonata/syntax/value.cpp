// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/syntax/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "query/jsonata/syntax/error.hpp"

namespace andon::query::jsonata {
namespace {

constexpr std::size_t kMaxDepth = 500;
constexpr std::size_t kIndexFrom = 16;

void check_depth(std::size_t depth) {
  if (depth > kMaxDepth) {
    throw Error("U1001", "the value is nested deeper than 500 levels");
  }
}

}  // namespace

void dispose(Items&& values) {
  // Children of what is being destroyed wait here instead of on the call stack.
  thread_local std::vector<Items> waiting;
  thread_local bool busy = false;
  if (std::ranges::none_of(values, [](const Value& value) { return value.owns(); })) {
    values.clear();
    return;
  }
  waiting.push_back(std::move(values));
  if (busy) return;
  busy = true;
  while (!waiting.empty()) {
    const Items next = std::move(waiting.back());
    waiting.pop_back();
  }
  busy = false;
}

List::~List() {
  dispose(std::move(items));
}

Record::~Record() {
  Items values;
  for (auto& member : members) {
    if (member.second.owns()) values.push_back(std::move(member.second));
  }
  if (!values.empty()) dispose(std::move(values));
}

std::size_t Record::position(std::string_view key) const {
  if (!index_.empty()) {
    const auto found = index_.find(std::string(key));
    return found == index_.end() ? members.size() : found->second;
  }
  const auto found =
      std::ranges::find_if(members, [key](const auto& member) { return member.first == key; });
  return static_cast<std::size_t>(found - members.begin());
}

const Value* Record::find(std::string_view key) const {
  const std::size_t at = position(key);
  return at < members.size() ? &members[at].second : nullptr;
}

void Record::set(std::string_view key, Value value) {
  const std::size_t at = position(key);
  if (at < members.size()) {
    members[at].second = std::move(value);
    return;
  }
  members.emplace_back(std::string(key), std::move(value));
  if (members.size() == kIndexFrom) {
    for (std::size_t i = 0; i < members.size(); ++i) index_[members[i].first] = i;
  } else if (members.size() > kIndexFrom) {
    index_[members.back().first] = members.size() - 1;
  }
}

void Record::erase(std::string_view key) {
  const std::size_t at = position(key);
  if (at >= members.size()) return;
  members.erase(members.begin() + static_cast<std::ptrdiff_t>(at));
  index_.clear();
  if (members.size() >= kIndexFrom) {
    for (std::size_t i = 0; i < members.size(); ++i) index_[members[i].first] = i;
  }
}

Value Value::view(const json::value& value) {
  Value result;
  switch (value.kind()) {
    case json::kind::null:
      result.data_ = nullptr;
      break;
    case json::kind::bool_:
      result.data_ = value.get_bool();
      break;
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      result.data_ = value.to_number<double>();
      break;
    case json::kind::string:
      result.data_ = std::string(value.get_string());
      break;
    case json::kind::array:
      result.data_ = &value.get_array();
      break;
    case json::kind::object:
      result.data_ = &value.get_object();
      break;
  }
  return result;
}

std::size_t Value::size() const {
  if (const auto* own = std::get_if<ListPtr>(&data_)) return (*own)->items.size();
  if (const auto* array = std::get_if<const json::array*>(&data_)) return (*array)->size();
  return 0;
}

Value Value::item(std::size_t index) const {
  if (const auto* own = std::get_if<ListPtr>(&data_)) {
    return index < (*own)->items.size() ? (*own)->items[index] : Value();
  }
  if (const auto* array = std::get_if<const json::array*>(&data_)) {
    return index < (*array)->size() ? view((**array)[index]) : Value();
  }
  return {};
}

List* Value::list() const {
  const auto* own = std::get_if<ListPtr>(&data_);
  return own != nullptr ? own->get() : nullptr;
}

ListPtr Value::list_ptr() const {
  const auto* own = std::get_if<ListPtr>(&data_);
  return own != nullptr ? *own : nullptr;
}

bool Value::is_sequence() const {
  const List* own = list();
  return own != nullptr && own->sequence;
}

bool Value::is_tuple_stream() const {
  const List* own = list();
  return own != nullptr && own->tuple_stream;
}

Record* Value::record() const {
  const auto* own = std::get_if<RecordPtr>(&data_);
  return own != nullptr ? own->get() : nullptr;
}

Value Value::member(std::string_view key) const {
  if (const auto* own = std::get_if<RecordPtr>(&data_)) {
    const Value* found = (*own)->find(key);
    return found != nullptr ? *found : Value();
  }
  if (const auto* object = std::get_if<const json::object*>(&data_)) {
    const json::value* found = (*object)->if_contains(key);
    return found != nullptr ? view(*found) : Value();
  }
  return {};
}

bool Value::has_member(std::string_view key) const {
  if (const auto* own = std::get_if<RecordPtr>(&data_)) return (*own)->find(key) != nullptr;
  if (const auto* object = std::get_if<const json::object*>(&data_)) {
    return (*object)->contains(key);
  }
  return false;
}

std::size_t Value::member_count() const {
  if (const auto* own = std::get_if<RecordPtr>(&data_)) return (*own)->members.size();
  if (const auto* object = std::get_if<const json::object*>(&data_)) return (*object)->size();
  return 0;
}

ListPtr make_sequence() {
  auto list = std::make_shared<List>();
  list->sequence = true;
  return list;
}

ListPtr make_sequence(Value item) {
  ListPtr list = make_sequence();
  list->items.push_back(std::move(item));
  return list;
}

ListPtr make_list(Items items) {
  return std::make_shared<List>(std::move(items));
}

bool deep_equal(const Value& left, const Value& right, std::size_t depth) {
  check_depth(depth);
  if (left.is_number() && right.is_number()) return left.number() == right.number();
  if (left.is_string() && right.is_string()) return left.string() == right.string();
  if (left.is_bool() && right.is_bool()) return left.boolean() == right.boolean();
  if (left.is_null() || right.is_null()) return left.is_null() && right.is_null();
  if (left.is_undefined() || right.is_undefined()) {
    return left.is_undefined() && right.is_undefined();
  }
  if (left.is_list() && right.is_list()) {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!deep_equal(left.item(i), right.item(i), depth + 1)) return false;
    }
    return true;
  }
  if (left.is_object() && right.is_object()) {
    if (left.member_count() != right.member_count()) return false;
    bool equal = true;
    left.each_member([&](std::string_view key, const Value& value) {
      equal = equal && right.has_member(key) && deep_equal(value, right.member(key), depth + 1);
    });
    return equal;
  }
  return left.is_function() && right.is_function() && left.function() == right.function();
}

json::value to_json(const Value& value, std::size_t depth) {
  check_depth(depth);
  if (value.is_bool()) return value.boolean();
  if (value.is_string()) return json::string(value.string());
  if (value.is_number()) {
    const double number = value.number();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    constexpr double kExact = 9007199254740992.0;
    if (number == std::trunc(number) && std::abs(number) <= kExact) {
      return static_cast<std::int64_t>(number);
    }
    return number;
  }
  if (value.is_list()) {
    json::array array;
    array.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      array.push_back(to_json(value.item(i), depth + 1));
    }
    return array;
  }
  if (value.is_object()) {
    json::object object;
    value.each_member([&](std::string_view key, const Value& member) {
      if (member.is_undefined() || member.is_function()) return;
      object[key] = to_json(member, depth + 1);
    });
    return object;
  }
  return nullptr;
}

Value deep_copy(const Value& value, std::size_t depth) {
  check_depth(depth);
  if (value.is_list()) {
    Items items;
    items.reserve(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      Value item = deep_copy(value.item(i), depth + 1);
      items.push_back(item.is_undefined() || item.is_function() ? Value(nullptr) : std::move(item));
    }
    return make_list(std::move(items));
  }
  if (value.is_object()) {
    auto record = std::make_shared<Record>();
    value.each_member([&](std::string_view key, const Value& member) {
      if (member.is_undefined() || member.is_function()) return;
      record->set(key, deep_copy(member, depth + 1));
    });
    return record;
  }
  return value;
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (number == 0) return "0";
  std::array<char, 32> buffer{};
  const auto printed = std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(number),
                                     std::chars_format::scientific);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(printed.ptr - buffer.data()));
  const std::size_t e = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, e)) {
    if (c != '.') digits += c;
  }
  int exponent = 0;
  const std::string_view power = text.substr(e + 1);
  std::from_chars(power.data() + (power.front() == '+' ? 1 : 0), power.data() + power.size(),
                  exponent);
  const int point = exponent + 1;  // digits before the decimal point
  const int count = static_cast<int>(digits.size());
  std::string result = number < 0 ? "-" : "";
  if (point > 21 || point < -5) {
    result += digits.substr(0, 1);
    if (count > 1) result += "." + digits.substr(1);
    return result + (exponent < 0 ? "e-" : "e+") + std::to_string(std::abs(exponent));
  }
  if (point <= 0)
    return result + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  if (count <= point) {
    return result + digits + std::string(static_cast<std::size_t>(point - count), '0');
  }
  const auto whole = static_cast<std::size_t>(point);
  return result + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace andon::query::jsonata
