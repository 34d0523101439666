// SPDX-License-Identifier: Apache-2.0
// Walks a definition and collects every problem of it: machine, flows, states. What is inside of
// the fields of a state is FieldChecker's. Internal to asl; lives for one validation.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "asl/payload.hpp"
#include "asl/validator.hpp"

namespace andon::asl {

class DefinitionChecker {
 public:
  using Names = std::vector<std::string_view>;

  explicit DefinitionChecker(const ValidationOptions& options) : options_(options) {}

  [[nodiscard]] Validation run(std::string_view definition);

 private:
  enum class Type : std::uint8_t { text, object, list, boolean, integer, number };

  // --- definition_checker.cpp: reports and types
  void report(std::string_view code, std::string message, std::string location,
              Severity severity = Severity::error);
  Validation finish() { return std::move(result_); }
  void check_known(const json::object& object, const Names& known, const std::string& at);
  bool require_fields(const json::object& object, const Names& wanted, const std::string& at);
  // The member, where it is there and of that type; a wrong type is reported.
  const json::value* typed(const json::object& object, std::string_view key, Type type,
                           const std::string& at);
  const json::value* one_of(const json::object& object, std::string_view key, const Names& allowed,
                            const std::string& at);
  void check_range(std::int64_t value, std::int64_t least, std::int64_t most,
                   const std::string& at);

  // --- definition_checker.cpp: lists of states
  void check_machine(const json::object& machine);
  QueryLanguage language_of(const json::object& object, QueryLanguage inherited,
                            const std::string& at);
  void check_flow(const json::object& flow, const std::string& at, std::size_t nesting);
  void check_reachable(const std::string& start,
                       const std::map<std::string, std::set<std::string>>& transitions,
                       const json::object& states, const std::string& at);
  // The names that the states of a flow assign, in whatever field.
  static std::set<std::string> assigned_names(const json::object& states);
  void check_assigned_names(const json::object& state, const std::string& at);
  void go_to(const json::object& object, std::string_view key, const json::object& states,
             const std::string& at);

  // --- definition_checker_states.cpp: what all states have
  void check_state(const json::object& state, const std::string& at, const json::object& states,
                   std::size_t nesting);
  void check_fields(const json::object& state, const std::string& type, QueryLanguage language,
                    const std::string& at, bool downgrade);
  void check_flow_end(const json::object& state, const std::string& type,
                      const json::object& states, const std::string& at);
  void check_error_names(const json::object& object, bool last, const std::string& at);
  void check_catchers(const json::object& state, QueryLanguage language, const json::object& states,
                      const std::string& at);
  void check_retrier(const json::value& value, bool last, const std::string& at);

  // --- definition_checker_kinds.cpp: Task, Parallel, Map
  void check_task(const json::object& state, const std::string& at);
  void check_parallel(const json::object& state, const std::string& at, std::size_t nesting);
  void check_map(const json::object& state, QueryLanguage language, const std::string& at,
                 std::size_t nesting);
  void check_item_reader(const json::object& reader, std::string_view parameters,
                         const std::string& at);
  void check_map_parts(const json::object& state, QueryLanguage language, const std::string& at);

  // --- definition_checker_choices.cpp
  void check_choices(const json::object& state, QueryLanguage language, const json::object& states,
                     const std::string& at);
  void check_rule(const json::object& rule, const std::string& at, bool top, std::size_t depth);
  void check_nested(const json::value& value, const std::string& at, std::size_t depth);
  void check_operation(const json::object& rule, const std::string& key, const json::value& operand,
                       const std::string& at);

  ValidationOptions options_;
  Validation result_;
  QueryLanguage language_ = QueryLanguage::json_path;
  std::set<std::string> names_;
  std::set<std::string> outer_variables_;     // assigned in the flows around the one being checked
  std::set<std::string>* targets_ = nullptr;  // of the state being checked
};

}  // namespace andon::asl
