// SPDX-License-Identifier: Apache-2.0
// The values that JSONata computes with: JSON, plus nothing ("undefined"), functions, and lists
// that remember whether they are results of a path (sequences). Lists and objects of the input are
// looked at where they are, not copied; they must outlive the evaluation. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/json/json.hpp"

namespace andon::query::jsonata {

namespace json = base::json;

struct List;
struct Record;
struct Callable;
class Value;

using Items = std::vector<Value>;
using ListPtr = std::shared_ptr<List>;
using RecordPtr = std::shared_ptr<Record>;
using CallablePtr = std::shared_ptr<const Callable>;

class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) : data_(nullptr) {}              // NOLINT(google-explicit-constructor)
  Value(bool value) : data_(value) {}                    // NOLINT(google-explicit-constructor)
  Value(double value) : data_(value) {}                  // NOLINT(google-explicit-constructor)
  Value(std::string value) : data_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Value(ListPtr value) : data_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Value(RecordPtr value) : data_(std::move(value)) {}    // NOLINT(google-explicit-constructor)
  Value(CallablePtr value) : data_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Value(const char*) = delete;
  // Looks at `value`, which must outlive this.
  [[nodiscard]] static Value view(const json::value& value);

  [[nodiscard]] bool is_undefined() const { return holds<std::monostate>(); }
  [[nodiscard]] bool is_null() const { return holds<std::nullptr_t>(); }
  [[nodiscard]] bool is_bool() const { return holds<bool>(); }
  [[nodiscard]] bool is_number() const { return holds<double>(); }
  [[nodiscard]] bool is_string() const { return holds<std::string>(); }
  [[nodiscard]] bool is_list() const { return holds<ListPtr>() || holds<const json::array*>(); }
  [[nodiscard]] bool is_object() const {
    return holds<RecordPtr>() || holds<const json::object*>();
  }
  [[nodiscard]] bool is_function() const { return holds<CallablePtr>(); }

  [[nodiscard]] bool boolean() const { return std::get<bool>(data_); }
  [[nodiscard]] double number() const { return std::get<double>(data_); }
  [[nodiscard]] const std::string& string() const { return std::get<std::string>(data_); }
  [[nodiscard]] const CallablePtr& function() const { return std::get<CallablePtr>(data_); }

  // Lists of either kind. `item` is undefined past the end.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Value item(std::size_t index) const;
  // The own list, or null for a list of the input and for anything else.
  [[nodiscard]] List* list() const;
  [[nodiscard]] ListPtr list_ptr() const;
  [[nodiscard]] bool is_sequence() const;
  [[nodiscard]] bool is_tuple_stream() const;

  // Objects of either kind.
  [[nodiscard]] Value member(std::string_view key) const;
  [[nodiscard]] bool has_member(std::string_view key) const;
  [[nodiscard]] std::size_t member_count() const;
  [[nodiscard]] Record* record() const;
  template <typename Visit>  // Visit(std::string_view key, const Value&)
  void each_member(Visit visit) const;

  // Whether both are the same list or object, not just alike.
  [[nodiscard]] bool is_same(const Value& other) const {
    return (is_list() || is_object()) && data_ == other.data_;
  }

  // Whether a list, an object or a function hangs on it.
  [[nodiscard]] bool owns() const {
    return holds<ListPtr>() || holds<RecordPtr>() || holds<CallablePtr>();
  }

 private:
  template <typename T>
  [[nodiscard]] bool holds() const {
    return std::holds_alternative<T>(data_);
  }
  std::variant<std::monostate, std::nullptr_t, bool, double, std::string, ListPtr, RecordPtr,
               CallablePtr, const json::array*, const json::object*>
      data_;
};

struct List {
  List() = default;
  explicit List(Items values) : items(std::move(values)) {}
  List(const List&) = default;
  List& operator=(const List&) = delete;
  ~List();

  Items items;
  bool sequence = false;        // a path's result: one item stands for itself
  bool keep_singleton = false;  // [] was asked for: one item stays a list
  bool constructed = false;     // [...] as a step: not flattened into the step's results
  bool outer_wrapper = false;   // the sequence around an input that is itself a list
  bool tuple_stream = false;    // items are tuples: '@' is the value, other members are bindings
};

struct Record {
  Record() = default;
  Record(const Record&) = default;
  Record& operator=(const Record&) = delete;
  ~Record();

  [[nodiscard]] const Value* find(std::string_view key) const;
  void set(std::string_view key, Value value);
  void erase(std::string_view key);
  std::vector<std::pair<std::string, Value>> members;

 private:
  [[nodiscard]] std::size_t position(std::string_view key) const;
  std::unordered_map<std::string, std::size_t> index_;  // only where there are many members
};

// Destroys values without recursion, however deeply they are nested.
void dispose(Items&& values);

[[nodiscard]] ListPtr make_sequence();
[[nodiscard]] ListPtr make_sequence(Value item);
[[nodiscard]] ListPtr make_list(Items items = {});

[[nodiscard]] bool deep_equal(const Value& left, const Value& right, std::size_t depth = 0);
// Nothing becomes null inside lists and is left out of objects; functions count as nothing.
// Whole numbers become integers; infinities and NaN the text that JavaScript names them by.
[[nodiscard]] json::value to_json(const Value& value, std::size_t depth = 0);
// A copy that shares nothing with the original and may be changed.
[[nodiscard]] Value deep_copy(const Value& value, std::size_t depth = 0);

// As JavaScript prints a number: 1e+21, 0.000001, 100000000000000000000.
[[nodiscard]] std::string number_text(double number);

template <typename Visit>
void Value::each_member(Visit visit) const {
  if (const auto* own = std::get_if<RecordPtr>(&data_)) {
    for (const auto& [key, value] : (*own)->members) visit(std::string_view(key), value);
  } else if (const auto* object = std::get_if<const json::object*>(&data_)) {
    for (const auto& member : **object) {
      visit(std::string_view(member.key()), Value::view(member.value()));
    }
  }
}

}  // namespace andon::query::jsonata
