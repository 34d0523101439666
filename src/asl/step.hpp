// SPDX-License-Identifier: Apache-2.0
// The engine: step(machine, state, event) -> new state, decisions, history. Pure: time and
// randomness come with the event, so the same step gives the same answer for ever. The host
// carries the decisions out and answers each with an event. Any thread; one step at a time for
// one execution. A step that throws has not changed the host's copy of the state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "asl/execution.hpp"
#include "asl/history.hpp"
#include "asl/machine.hpp"

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
  Data results;  // a list of {"Index", "Status", "Input", "Output" | "Error", "Cause"}
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
struct ItemsRead {
  std::int64_t branch = 0;
  Data items;  // a list, or an object whose members are the items
  std::string source;
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
struct Stop {
  std::optional<std::string> error;
  std::optional<std::string> cause;
};

using EventBody = std::variant<Resume, TaskStarted, TaskSubmitted, TaskSucceeded, TaskFailed,
                               TaskHeartbeat, TimerFired, ItemsRead, ItemsFailed, ChildEnded,
                               ResultsWritten, ResultsFailed, Stop>;

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
};

struct Step {
  ExecutionState state;
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

}  // namespace andon::asl
