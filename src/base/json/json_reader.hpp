// SPDX-License-Identifier: Apache-2.0
// The one reader of the members of a JSON object that came from outside. Each kind of document says
// once, in a JsonReading, how its keys and places are written and what happens to a problem: it is
// thrown as base::Error(invalid_argument), or collected so that somebody sees all of them.
// Lives within one parse: the value, and the list of problems, must outlive it. One thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/json/json.hpp"

namespace andon::base {

// One thing that is wrong, and where.
struct JsonProblem {
  std::string place;    // of the member; an RFC 6901 pointer or a dotted path, "" for all of it
  std::string message;  // what is wrong and what is expected
};

struct JsonReading {
  enum class Keys { exact, any_case };       // any_case: an object with a key twice is a problem
  enum class Places { dotted, as_pointer };  // components[0].version or /components/0/version
  enum class Texts { exact, flags, as_values };  // flags: "true" is true; as_values: "7" is 7, too

  Keys keys = Keys::exact;
  Places places = Places::dotted;
  Texts texts = Texts::exact;
  bool empty_is_absent = false;                  // "" is no member
  std::string_view separator = " ";              // between place and problem of what is thrown
  std::vector<JsonProblem>* problems = nullptr;  // collected here; null: the first is thrown
};

class JsonReader {
 public:
  // `where` is the object's own place ("components[0]"). Keeps references. The second form is there
  // so that an object is not first copied into a temporary value. A value that is no object is a
  // problem; where problems are collected, every member is absent then.
  JsonReader(const json::value& value, std::string where, const JsonReading& reading = {});
  JsonReader(const json::object& object, std::string where, const JsonReading& reading = {});
  JsonReader(json::value&&, std::string, const JsonReading& reading = {}) = delete;
  JsonReader(json::object&&, std::string, const JsonReading& reading = {}) = delete;

  [[nodiscard]] const json::object& object() const { return *object_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

  // Nothing for an absent or null member. One of another type is a problem, and nothing.
  [[nodiscard]] const json::value* find(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> optional_string(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> optional_number(std::string_view key) const;
  [[nodiscard]] std::optional<bool> optional_bool(std::string_view key) const;
  [[nodiscard]] const json::object* optional_object(std::string_view key) const;
  [[nodiscard]] const json::array* optional_array(std::string_view key) const;

  // An absent member is a problem, too; where problems are collected, "" or 0 then.
  [[nodiscard]] std::string string(std::string_view key) const;
  [[nodiscard]] std::string required_text(std::string_view key) const;  // nor may it be empty
  [[nodiscard]] std::int64_t integer(std::string_view key) const;

  // Within both bounds, or a problem that names them.
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key,
                                                             std::int64_t least,
                                                             std::int64_t most) const;
  // The row of `table` (pairs of name and value) that the text names.
  template <typename Table>
  [[nodiscard]] auto choice(std::string_view key, const Table& table) const
      -> std::optional<std::decay_t<decltype(std::begin(table)->second)>>;

  // The object below, read in the same way: absent is a problem in the first form, and an object
  // without members in the second.
  [[nodiscard]] JsonReader child(std::string_view key) const;
  [[nodiscard]] JsonReader child_or_empty(std::string_view key) const;
  // The objects of a list; none where it is absent.
  [[nodiscard]] std::vector<JsonReader> children(std::string_view key) const;
  // The texts of a list, the first `most` of them; none where it is absent.
  [[nodiscard]] std::vector<std::string> strings(std::string_view key,
                                                 std::size_t most = std::string::npos) const;
  // The members of an object that are texts, and nothing else may be in it.
  [[nodiscard]] std::map<std::string, std::string> string_map(std::string_view key) const;
  // The same, but numbers and booleans are written out, and null becomes `null_text`.
  [[nodiscard]] std::map<std::string, std::string> scalar_map(std::string_view key,
                                                              std::string_view null_text) const;

  // Every other member is a problem that lists the known ones.
  void allow_only(std::initializer_list<std::string_view> known) const;

  [[nodiscard]] std::string place(std::string_view key) const;
  [[nodiscard]] std::string place(std::string_view key, std::size_t index) const;
  // Throws or collects, as the document is read. The caller goes on after it.
  void problem(std::string_view key, std::string message) const;
  // Throws in any case.
  [[noreturn]] void fail(std::string_view key, std::string_view message) const;

 private:
  void add_problem(std::string place, std::string message) const;
  void fold_keys();
  [[nodiscard]] bool is_named(std::string_view given, std::string_view name) const;

  const json::object* object_;
  std::string where_;
  JsonReading reading_;
  // any_case: the members by their keys in lower case.
  std::vector<std::pair<std::string, const json::key_value_pair*>> folded_;
};

template <typename Table>
auto JsonReader::choice(std::string_view key, const Table& table) const
    -> std::optional<std::decay_t<decltype(std::begin(table)->second)>> {
  const auto given = optional_string(key);
  if (!given) return std::nullopt;
  std::string names;
  for (const auto& [name, value] : table) {
    if (is_named(*given, name)) return value;
    names.append(names.empty() ? "" : ", ").append(name);
  }
  problem(key, "is \"" + given->substr(0, 100) + "\" but must be one of " + names);
  return std::nullopt;
}

}  // namespace andon::base
