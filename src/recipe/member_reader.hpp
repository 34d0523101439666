// SPDX-License-Identifier: Apache-2.0
// Reads the members of an object whose keys may be in any case, and collects problems instead of
// stopping at the first. Lives within one parse; the value must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "recipe/problem.hpp"

namespace andon::recipe {

namespace json = base::json;

[[nodiscard]] std::string to_lower(std::string_view text);  // ASCII
[[nodiscard]] bool equal_ignoring_case(std::string_view left, std::string_view right);

class MemberReader {
 public:
  // A value that is no object is a problem; then every member is absent.
  MemberReader(const json::value& value, std::string place, Problems& problems);

  // Each gives nothing for an absent or null member and, with a problem, for one of another type.
  [[nodiscard]] const json::value* find(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> text(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;
  [[nodiscard]] const json::object* object(std::string_view key) const;
  [[nodiscard]] const json::array* array(std::string_view key) const;
  // Every member as text; numbers and booleans are written out, null becomes `null_text`.
  [[nodiscard]] std::map<std::string, std::string> texts(std::string_view key,
                                                         std::string_view null_text) const;

  // The text, or "" with a problem.
  [[nodiscard]] std::string required_text(std::string_view key) const;

  // The row of `table` (pairs of name and value) that the text names in any case.
  template <typename Table>
  [[nodiscard]] auto choice(std::string_view key, const Table& table) const
      -> std::optional<decltype(table[0].second)>;

  [[nodiscard]] std::string place(std::string_view key) const;
  void problem(std::string_view key, std::string message) const;

 private:
  std::string place_;
  Problems* problems_;
  std::map<std::string, const json::value*> members_;  // by key in lower case
};

template <typename Table>
auto MemberReader::choice(std::string_view key, const Table& table) const
    -> std::optional<decltype(table[0].second)> {
  const auto given = text(key);
  if (!given) return std::nullopt;
  std::string names;
  for (const auto& [name, value] : table) {
    if (equal_ignoring_case(*given, name)) return value;
    if (!names.empty()) names += ", ";
    names += name;
  }
  problem(key, "is \"" + *given + "\" but must be one of " + names);
  return std::nullopt;
}

}  // namespace andon::recipe
