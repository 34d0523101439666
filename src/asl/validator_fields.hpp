// SPDX-License-Identifier: Apache-2.0
// The fields of states: which kinds of states have them, which belong to one query language, and
// whether the paths, calls and expressions in them are well formed. Internal to asl; pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "asl/payload.hpp"
#include "asl/validator.hpp"

namespace andon::asl {

[[nodiscard]] std::vector<std::string_view> state_fields(std::string_view type);
[[nodiscard]] bool is_json_path_field(std::string_view field, std::string_view type);
[[nodiscard]] bool is_jsonata_field(std::string_view field, std::string_view type);

struct FieldProblem {
  std::string code;
  std::string message;
  std::string location;
  Severity severity = Severity::error;
};

class FieldChecker {
 public:
  FieldChecker(QueryLanguage language, std::string location,
               std::function<void(const FieldProblem&)> report)
      : language_(language), at_(std::move(location)), report_(std::move(report)) {}

  void check_state(const json::object& state, std::string_view type);

 private:
  enum class PathKind : std::uint8_t { any, reference };
  // What $states has where an expression stands, beside input and context.
  enum class Place : std::uint8_t { plain, after_result, in_catch };
  void problem(std::string message, const std::string& field);
  void check_path(const json::object& object, std::string_view key, PathKind kind,
                  const std::string& prefix = "");
  void check_payload(const json::value& value, const std::string& field,
                     Place where = Place::plain);
  void check_text_value(std::string_view text, const std::string& field, Place where);
  void check_list(const json::object& state, std::string_view key, Place where);
  void check_expression(std::string_view text, const std::string& field, Place where);
  void check_seconds(const json::object& state, std::string_view key, std::int64_t least,
                     std::int64_t most, const std::string& prefix = "");
  void check_pair(const json::object& state, std::string_view key);
  void check_text(const json::object& state, std::string_view key, bool timestamp);
  void check_assign(const json::object& object, const std::string& prefix, Place where);
  void check_static_result(const json::object& state);
  void check_wait(const json::object& state);
  void check_map(const json::object& state);

  QueryLanguage language_;
  std::string at_;
  std::function<void(const FieldProblem&)> report_;
};

}  // namespace andon::asl
