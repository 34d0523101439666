// SPDX-License-Identifier: Apache-2.0
// The fields of states: which kinds of states have them, which belong to one query language, and
// whether the paths, calls and expressions in them are well formed. Internal to asl; pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "asl/payload.hpp"

namespace andon::asl {

[[nodiscard]] std::vector<std::string_view> state_fields(std::string_view type);
[[nodiscard]] bool is_json_path_field(std::string_view field, std::string_view type);
[[nodiscard]] bool is_jsonata_field(std::string_view field, std::string_view type);

struct FieldProblem {
  std::string code;
  std::string message;
  std::string location;
};

class FieldChecker {
 public:
  FieldChecker(QueryLanguage language, std::string location,
               std::function<void(const FieldProblem&)> report)
      : language_(language), at_(std::move(location)), report_(std::move(report)) {}

  void check_state(const json::object& state, std::string_view type);

 private:
  enum class PathKind { any, reference };
  void problem(std::string message, const std::string& field);
  void check_path(const json::object& object, std::string_view key, PathKind kind,
                  const std::string& prefix = "");
  void check_payload(const json::value& value, const std::string& field, bool in_catch = false);
  void check_expression(std::string_view text, const std::string& field, bool in_catch);
  void check_seconds(const json::object& state, std::string_view key, std::int64_t least,
                     std::int64_t most, const std::string& prefix = "");
  void check_pair(const json::object& state, std::string_view key);
  void check_text(const json::object& state, std::string_view key, bool timestamp);
  void check_assign(const json::object& object, const std::string& prefix, bool in_catch);
  void check_wait(const json::object& state);
  void check_map(const json::object& state);

  QueryLanguage language_;
  std::string at_;
  std::function<void(const FieldProblem&)> report_;
};

}  // namespace andon::asl
