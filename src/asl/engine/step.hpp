// SPDX-License-Identifier: Apache-2.0
// The engine: step(machine, state, event) -> new state, decisions, history. Pure: time and
// randomness come with the event, so the same step gives the same answer for ever. The host
// carries the decisions out and answers each with an event. Any thread; one step at a time for
// one execution. How a host stores an execution: execution.hpp. A step that throws (base::Error:
// records that cannot be read) has changed no record.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "asl/data/failure.hpp"
#include "asl/definition/machine.hpp"
#include "asl/engine/inspection.hpp"
#include "asl/execution/execution.hpp"
#include "asl/execution/history.hpp"

namespace andon::asl {

// ---- what the host is asked to do ---------------------------------------------------------------

struct ScheduleTask {
  std::int64_t task = 0;
  std::string token;  // what SendTaskSuccess and a worker answer with
  std::string state;
  Resource resource;
  Data parameters;  // null: no Parameters; the input is the request
  std::optional<std::int64_t> timeout_seconds;
  std::optional<std::int64_t> heartbeat_seconds;
  Data credentials;          // null: none
  std::int64_t attempt = 0;  // 0 for the first
};
struct CancelTask {
  std::int64_t task = 0;
};
struct StartTimer {
  std::int64_t timer = 0;
  base::Timestamp due;
  std::string state;    // empty: the whole execution's timeout
  std::string purpose;  // "wait", "retry", "timeout", "heartbeat", "execution timeout"
};
struct CancelTimer {
  std::int64_t timer = 0;
};
// The ItemReader of a distributed Map; answer ItemsRead or ItemsFailed.
struct ReadItems {
  std::int64_t branch = 0;
  std::string state;
  std::string resource;
  Data parameters;
  json::object config;
  std::optional<std::int64_t> max_items;
};
// A child execution of a distributed Map; answer ChildEnded.
struct StartChild {
  std::int64_t branch = 0;
  std::int64_t index = 0;
  std::string state;
  std::string map_run;
  std::string name;
  std::size_t flow = 0;
  Data input;
  std::optional<MapItem> item;
  bool express = false;
};
struct AbortChildren {
  std::int64_t branch = 0;
};
// The ResultWriter of a distributed Map; answer ResultsWritten or ResultsFailed.
struct WriteResults {
  std::int64_t branch = 0;
  std::string state;
  std::string map_run;
  std::string resource;
  Data parameters;
  json::object config;
  std::int64_t children = 0;  // whose outcomes `each_outcome` gives
};
struct Finish {
  Status status = Status::succeeded;
};
// There is more to do without waiting for anything; answer Resume.
struct Continue {};

using Decision = std::variant<ScheduleTask, CancelTask, StartTimer, CancelTimer, ReadItems,
                              StartChild, AbortChildren, WriteResults, Finish, Continue>;

// ---- what the host reports ----------------------------------------------------------------------

struct Resume {};
struct TaskStarted {
  std::int64_t task = 0;
  std::string worker;  // of an activity
};
// A .sync or .waitForTaskToken request has been accepted.
struct TaskSubmitted {
  std::int64_t task = 0;
  Data output;
};
struct TaskSucceeded {
  std::int64_t task = 0;
  Data output;
};
struct TaskFailed {
  std::int64_t task = 0;
  std::string error;
  std::string cause;
};
struct TaskHeartbeat {
  std::int64_t task = 0;
};
struct TimerFired {
  std::int64_t timer = 0;
};
// May come in parts, so that neither side need hold all: `more` says that this is not the last.
struct ItemsRead {
  std::int64_t branch = 0;
  Data items;  // a list, or an object whose members are the items
  std::string source;
  bool more = false;
};
struct ItemsFailed {
  std::int64_t branch = 0;
  std::string cause;
};
struct ChildEnded {
  std::int64_t branch = 0;
  std::int64_t index = 0;
  Status status = Status::succeeded;
  Data output;
  std::string error;
  std::string cause;
};
struct ResultsWritten {
  std::int64_t branch = 0;
  Data details;  // {"Bucket", "Key"}
};
struct ResultsFailed {
  std::int64_t branch = 0;
  std::string cause;
};
// New limits for a map run under way; what is not given stays.
struct MapRunChanged {
  std::int64_t branch = 0;
  std::optional<std::int64_t> max_concurrency;  // 0: the most there may be
  std::optional<std::int64_t> tolerated_count;
  std::optional<double> tolerated_percentage;
};
struct Stop {
  std::optional<std::string> error;
  std::optional<std::string> cause;
};

using EventBody = std::variant<Resume, TaskStarted, TaskSubmitted, TaskSucceeded, TaskFailed,
                               TaskHeartbeat, TimerFired, ItemsRead, ItemsFailed, ChildEnded,
                               ResultsWritten, ResultsFailed, MapRunChanged, Stop>;

struct Event {
  base::Timestamp time;
  std::uint64_t seed = 0;  // drawn from the kernel by a host, from anywhere by a test
  EventBody body;
};

struct StepLimits {
  std::size_t transitions = 100;  // states run in one step; then Continue
  std::size_t data_bytes = kMaxDataBytes;
  std::size_t variable_bytes = kMaxVariableBytes;
  std::int64_t history_events = 25'000;
  Inspection* inspection = nullptr;  // of a state that is tried out by itself
};

struct Step {
  ExecutionState state;  // its take_changes() says what is to be stored
  std::vector<Decision> decisions;
  std::vector<HistoryEvent> history;
};

struct Start {
  std::string arn;
  std::string name;
  std::string role_arn;
  std::string machine_arn;
  std::string machine_name;
  std::string region = "us-east-1";
  Data input;
  base::Timestamp time;
  std::uint64_t seed = 0;
  std::size_t flow = 0;         // of a distributed Map's child, from StartChild
  std::optional<MapItem> item;  // likewise
};

// Throws base::Error(invalid_argument) for an input beyond the limit.
[[nodiscard]] Step start(const StateMachine& machine, const Start& start,
                         const StepLimits& limits = {});
// An event that no longer concerns the execution (a late answer, a cancelled timer) changes
// nothing and gives no decisions.
[[nodiscard]] Step step(const StateMachine& machine, ExecutionState state, const Event& event,
                        const StepLimits& limits = {});

// Where an execution that has ended without success takes up its work again.
struct Redrive {
  std::string state;  // of the main flow: the one that it ended in, to be run anew
  Data input;         // of that state
  std::vector<std::pair<std::string, Data>> variables;  // of the main flow
  base::Timestamp time;
  std::uint64_t seed = 0;
};
// `state` is as it was when it ended. Throws base::Error: failed_precondition where it runs or has
// succeeded, invalid_argument for a state that the main flow has not.
[[nodiscard]] Step redrive(const StateMachine& machine, ExecutionState state,
                           const Redrive& redrive, const StepLimits& limits = {});

// A state tried out by itself, in whatever flow it stands; `limits.inspection` must be given, here
// and for the steps that follow.
[[nodiscard]] Step start_at(const StateMachine& machine, const Start& start, const Redrive& where,
                            const StepLimits& limits);

// The outcomes of the children of a map run that asked to WriteResults, one after the other, in
// the order of their index; all of `request.children`.
void each_outcome(const ExecutionState& state, const WriteResults& request,
                  const std::function<void(std::int64_t index, const Outcome& outcome)>& take);

}  // namespace andon::asl
