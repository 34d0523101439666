// SPDX-License-Identifier: Apache-2.0
// A state machine, parsed and checked: immutable, shared by all its executions, any thread.
// Each list of states (the machine's own, a branch of a Parallel, the processor of a Map) is a
// Flow with a number, by which the state of an execution names it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "asl/data/choice.hpp"
#include "asl/data/payload.hpp"

namespace andon::asl {

// In the order of StateKind.
enum class StateType : std::uint8_t { task, pass, choice, wait, succeed, fail, parallel, map };
// "Task", as definitions and history events spell it.
[[nodiscard]] std::string_view to_string(StateType type);

// InputPath, OutputPath or ResultPath: absent means "$".
struct DataPath {
  enum class Kind : std::uint8_t { whole, nothing, path };
  Kind kind = Kind::whole;
  query::JsonPath path;
};

// A number or text that is given, found by a path, or computed by an expression.
struct Setting {
  std::string field;  // "TimeoutSeconds"
  std::variant<std::monostate, json::value, query::JsonPath, std::shared_ptr<const Intrinsic>,
               std::shared_ptr<const QueryExpression>>
      source;

  [[nodiscard]] bool given() const { return source.index() != 0; }
  // Throws Failure. Must be given.
  [[nodiscard]] Data evaluate(const Scope& scope) const;
  // Null where it is no expression; no path.
  [[nodiscard]] const QueryExpression* expression() const;
  [[nodiscard]] const query::JsonPath* path() const {
    return std::get_if<query::JsonPath>(&source);
  }
};

using Assignments = std::vector<std::pair<std::string, Payload>>;

struct Retrier {
  std::vector<std::string> errors;
  std::int64_t interval_seconds = 1;
  std::int64_t max_attempts = 3;
  double backoff_rate = 2.0;
  std::optional<std::int64_t> max_delay_seconds;
  bool full_jitter = false;
};

struct Catcher {
  std::vector<std::string> errors;
  std::string next;
  DataPath result_path;
  std::optional<Payload> output;
  Assignments assign;
};

struct Resource {
  enum class Kind : std::uint8_t { lambda, activity, service };
  enum class Pattern : std::uint8_t { request_response, sync, task_token };
  std::string text;
  Kind kind = Kind::service;
  Pattern pattern = Pattern::request_response;
  std::string type;    // "lambda", "aws-sdk:iot"
  std::string action;  // "invoke", "startExecution.sync:2"

  [[nodiscard]] static Resource parse(std::string_view arn);
};

struct ItemReader {
  std::string resource;
  std::optional<Payload> parameters;
  json::object config;  // ReaderConfig as written
  Setting max_items;
};

struct ItemBatcher {
  Setting max_items;
  Setting max_bytes;
  std::optional<Payload> batch_input;
};

struct ResultWriter {
  std::string resource;
  std::optional<Payload> parameters;
  json::object config;  // WriterConfig as written
};

// What each kind of state has for itself.
struct TaskState {
  Resource resource;
  Setting timeout;
  Setting heartbeat;
  std::optional<Payload> credentials;
};

struct PassState {
  std::optional<Payload> result;
};

struct ChoiceState {
  std::vector<ChoiceRule> choices;
  std::string default_next;
};

struct WaitState {
  Setting seconds;
  Setting timestamp;
};

struct SucceedState {};

struct FailState {
  Setting error;
  Setting cause;
};

struct ParallelState {
  std::vector<std::size_t> branches;  // flows
};

struct MapState {
  std::size_t flow = 0;
  bool distributed = false;
  bool express_children = false;
  std::optional<query::JsonPath> items_path;
  std::optional<Payload> items;  // JSONata
  std::optional<Payload> selector;
  Setting max_concurrency;
  Setting tolerated_count;
  Setting tolerated_percentage;
  std::string label;
  std::optional<ItemReader> reader;
  std::optional<ItemBatcher> batcher;
  std::optional<ResultWriter> writer;
};

// In the order of StateType.
using StateKind = std::variant<TaskState, PassState, ChoiceState, WaitState, SucceedState,
                               FailState, ParallelState, MapState>;

struct State {
  std::string name;
  QueryLanguage language = QueryLanguage::json_path;
  std::string comment;
  std::string next;  // empty where the state ends its flow
  DataPath input_path;
  DataPath output_path;
  DataPath result_path;
  std::optional<Payload> parameters;  // Parameters or Arguments
  std::optional<Payload> result_selector;
  std::optional<Payload> output;
  Assignments assign;
  std::vector<Retrier> retry;
  std::vector<Catcher> catches;
  StateKind kind;

  [[nodiscard]] StateType type() const { return static_cast<StateType>(kind.index()); }
  // The state must be of that kind.
  template <typename Kind>
  [[nodiscard]] const Kind& as() const {
    return std::get<Kind>(kind);
  }
  // Null where it is of another kind.
  template <typename Kind>
  [[nodiscard]] const Kind* if_is() const {
    return std::get_if<Kind>(&kind);
  }
  [[nodiscard]] const MapState& map() const { return as<MapState>(); }
  [[nodiscard]] const TaskState& task() const { return as<TaskState>(); }
};

struct Flow {
  std::size_t number = 0;
  std::string start_at;
  std::vector<State> states;
  std::map<std::string, std::size_t, std::less<>> places;

  // Throws base::Error(internal) for a name that validation has let through.
  [[nodiscard]] const State& state(std::string_view name) const;
};

class StateMachine {
 public:
  // Throws base::Error(invalid_argument): "Invalid State Machine Definition: 'CODE: message at
  // /States/X, ...'" with every problem that validation found.
  [[nodiscard]] static StateMachine parse(std::string_view definition);

  [[nodiscard]] const Flow& flow(std::size_t number) const { return *flows_.at(number); }
  [[nodiscard]] const Flow& main() const { return *flows_.front(); }
  [[nodiscard]] std::size_t flow_count() const { return flows_.size(); }
  [[nodiscard]] const std::string& comment() const { return comment_; }
  [[nodiscard]] std::optional<std::int64_t> timeout_seconds() const { return timeout_seconds_; }

 private:
  friend class DefinitionReader;
  std::vector<std::unique_ptr<const Flow>> flows_;
  std::string comment_;
  std::optional<std::int64_t> timeout_seconds_;
};

}  // namespace andon::asl
