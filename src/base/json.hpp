// SPDX-License-Identifier: Apache-2.0
// JSON in and out: Boost.JSON values, parsed with limits, printed so that people can read them.
// Pure; any thread. Parse errors are base::Error(invalid_argument) with line and column.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace andon::base {

namespace json = boost::json;

struct JsonLimits {
  std::size_t max_bytes = 16U << 20U;
  std::size_t max_depth = 32;
};

// `what` names the document in the error message ("deployment document").
[[nodiscard]] json::value parse_json(std::string_view text, std::string_view what,
                                     const JsonLimits& limits = {});

// Compact, keys in insertion order; doubles in their shortest decimal form (0.87, 1e+30; 2.0 for a
// whole double so that it stays a double). NaN and infinities, which JSON lacks, become null.
[[nodiscard]] std::string to_text(const json::value& value);
// The same with two-space indentation and a newline at the end.
[[nodiscard]] std::string to_pretty_text(const json::value& value);

// RFC 6901. Null where the pointer leads nowhere; throws invalid_argument for a malformed pointer.
// "" is the whole document.
[[nodiscard]] const json::value* find_pointer(const json::value& document,
                                              std::string_view pointer);
// "/a~1b/0" -> {"a/b", "0"}.
[[nodiscard]] std::vector<std::string> split_pointer(std::string_view pointer);
[[nodiscard]] std::string join_pointer(const std::vector<std::string>& tokens);

// Typed access to the members of an object that came from outside. `where` is the object's own
// place ("components[0].version") and starts each error message. The `optional_` forms give
// nothing for an absent or null member; every form throws invalid_argument for a wrong type.
class JsonReader {
 public:
  // Keeps a reference. The second form is there so that an object is not first copied into a
  // temporary value.
  JsonReader(const json::value& value, std::string where);
  JsonReader(const json::object& object, std::string where)
      : object_(&object), where_(std::move(where)) {}
  JsonReader(json::value&&, std::string) = delete;
  JsonReader(json::object&&, std::string) = delete;

  [[nodiscard]] const json::object& object() const { return *object_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

  [[nodiscard]] std::string string(std::string_view key) const;
  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  [[nodiscard]] JsonReader child(std::string_view key) const;

  [[nodiscard]] std::optional<std::string> optional_string(std::string_view key) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key) const;
  [[nodiscard]] std::optional<double> optional_number(std::string_view key) const;
  [[nodiscard]] std::optional<bool> optional_bool(std::string_view key) const;
  [[nodiscard]] const json::object* optional_object(std::string_view key) const;
  [[nodiscard]] const json::array* optional_array(std::string_view key) const;

 private:
  [[nodiscard]] const json::value* find(std::string_view key) const;
  [[nodiscard]] std::string path(std::string_view key) const;

  const json::object* object_;
  std::string where_;
};

}  // namespace andon::base
