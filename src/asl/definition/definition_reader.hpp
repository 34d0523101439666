// SPDX-License-Identifier: Apache-2.0
// Walks a definition once: collects every problem of it and makes the machine: flows, states. What
// is inside of the fields of a state is FieldReader's. Internal to asl; lives for one reading.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "asl/definition/field_reader.hpp"
#include "asl/definition/machine.hpp"
#include "asl/definition/problems.hpp"
#include "asl/definition/validator.hpp"

namespace andon::asl {

class DefinitionReader {
 public:
  explicit DefinitionReader(const ValidationOptions& options) : problems_(options) {}

  [[nodiscard]] Definition read(std::string_view definition);

 private:
  using Names = Problems::Names;
  using Type = Problems::Type;
  // Where each state of a flow may go on to; an end is "".
  using Transitions = std::map<std::string, std::set<std::string>>;

  // --- definition_reader.cpp: the machine and lists of states
  void read_document(std::string_view definition, StateMachine& machine);
  void read_machine(const json::object& source, StateMachine& machine);
  QueryLanguage language_of(const json::object& object, QueryLanguage inherited,
                            const std::string& at);
  // The number of the flow.
  std::size_t read_flow(const json::object& source, const std::string& at, std::size_t nesting);
  Transitions read_states(Flow& flow, const json::object& states, const std::string& at,
                          std::size_t nesting);
  void check_reachable(const std::string& start, const Transitions& transitions,
                       const json::object& states, const std::string& at);
  // The names that the states of a flow assign, in whatever field.
  static std::set<std::string> assigned_names(const json::object& states);
  void check_assigned_names(const json::object& state, const std::string& at);
  // The name of the state to go to, or "".
  std::string go_to(const json::object& object, std::string_view key, const json::object& states,
                    const std::string& at);

  // --- definition_reader_states.cpp: what all states have
  void read_state(State& state, const json::object& source, const std::string& at,
                  const json::object& states, std::size_t nesting);
  void check_fields(const json::object& source, const std::string& type, QueryLanguage language,
                    const std::string& at, bool downgrade);
  void read_flow_end(State& state, const json::object& source, const std::string& type,
                     const json::object& states, const std::string& at);
  void read_data_fields(State& state, const json::object& source, FieldReader& fields,
                        bool has_result);
  std::vector<std::string> read_error_names(const json::object& object, bool last,
                                            const std::string& at);
  void read_retriers(State& state, const json::object& source, const std::string& at);
  Retrier read_retrier(const json::object& source, bool last, const std::string& at);
  void read_catchers(State& state, const json::object& source, FieldReader& fields,
                     const json::object& states);

  // --- definition_reader_kinds.cpp
  StateKind read_kind(State& state, StateType type, const json::object& source, FieldReader& fields,
                      const json::object& states, std::size_t nesting);
  TaskState read_task(const json::object& source, FieldReader& fields);
  Resource read_resource(const json::object& source, const std::string& at);
  PassState read_pass(const json::object& source, FieldReader& fields);
  WaitState read_wait(const json::object& source, FieldReader& fields);
  ParallelState read_parallel(const json::object& source, const std::string& at,
                              std::size_t nesting);

  // --- definition_reader_map.cpp
  MapState read_map(State& state, const json::object& source, FieldReader& fields,
                    std::size_t nesting);
  // Whether there is one, of whatever kind.
  bool read_processor(MapState& map, const json::object& source, const std::string& at,
                      std::size_t nesting);
  void check_inline(const MapState& map, const json::object& source, const std::string& at);
  ItemReader read_item_reader(const json::object& source, FieldReader& fields);
  void check_reader_config(const json::object& config, const std::string& at);
  ItemBatcher read_batcher(const json::object& source, FieldReader& fields);
  ResultWriter read_result_writer(const json::object& source, FieldReader& fields);
  std::string read_label(const json::object& source, const std::string& at);

  // --- definition_reader_choices.cpp
  ChoiceState read_choices(const json::object& source, FieldReader& fields,
                           const json::object& states);
  ChoiceRule read_rule(const json::object& source, FieldReader& fields, const json::object& states,
                       std::size_t index);
  std::shared_ptr<const QueryExpression> read_condition(const json::object& source,
                                                        FieldReader& fields,
                                                        const std::string& prefix);
  ChoiceTest read_test(const json::object& rule, const std::string& at, bool top,
                       std::size_t depth);
  ChoiceTest read_nested(const json::value& value, const std::string& at, std::size_t depth);
  void read_operation(ChoiceTest& test, const json::object& rule, const std::string& key,
                      const std::string& at);

  Problems problems_;
  QueryLanguage language_ = QueryLanguage::json_path;
  std::vector<std::unique_ptr<const Flow>> flows_;
  std::set<std::string> names_;
  std::set<std::string> outer_variables_;     // assigned in the flows around the one being read
  std::set<std::string>* targets_ = nullptr;  // of the state being read
};

}  // namespace andon::asl
