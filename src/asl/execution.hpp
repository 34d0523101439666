// SPDX-License-Identifier: Apache-2.0
// The state of one execution: plain data, owned by whoever runs it, that says at every moment all
// that the language needs to go on. It round-trips through JSON, so a host that stores it (or the
// events that led to it) loses nothing in a crash.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "asl/context.hpp"
#include "asl/data.hpp"
#include "asl/scope.hpp"
#include "base/time.hpp"

namespace andon::asl {

enum class Status : std::uint8_t { running, succeeded, failed, timed_out, aborted };
[[nodiscard]] std::string_view to_string(Status status);  // "SUCCEEDED"

// Where the work of a branch stands.
enum class Phase : std::uint8_t {
  entering,          // a state is about to be entered
  retrying,          // the same state is about to be run again
  waiting,           // for a timer: a Wait state
  waiting_retry,     // for a timer: between two attempts
  working,           // for a task
  joining,           // for branches or iterations
  reading_items,     // for an ItemReader
  running_children,  // a distributed Map's child executions
  writing_results,   // for a ResultWriter
};

// What a Parallel or Map state waits for.
struct Fork {
  Data items;                     // of a Map: a list
  std::vector<Data> results;      // by index; null: not there yet
  std::vector<std::string> keys;  // of items that were an object's members
  std::int64_t next = 0;          // the first index that has not been started
  std::int64_t running = 0;
  std::int64_t finished = 0;
  std::int64_t concurrency = 0;
  // Of a distributed Map:
  std::string map_run;
  std::string source;
  std::int64_t failed = 0;
  std::int64_t failed_items = 0;
  std::int64_t total_items = 0;
  std::optional<std::int64_t> tolerated_count;
  std::optional<double> tolerated_percentage;
  std::vector<std::int64_t> batch_sizes;  // empty: one item a child
  std::int64_t next_item = 0;             // the first item of the next batch
  json::array outcomes;                   // what the ResultWriter is given
};

// One thread of states: the main one, a branch of a Parallel, an iteration of a Map.
struct Branch {
  std::int64_t id = 0;
  std::int64_t parent = -1;
  std::int64_t index = 0;  // among its parent's branches or items
  std::size_t flow = 0;
  std::string state;
  Phase phase = Phase::entering;
  Data input;  // of the state, before InputPath
  Variables variables;
  std::int64_t variable_bytes = 0;  // of their JSON text
  std::optional<MapItem> item;
  std::int64_t previous_event = 0;
  std::int64_t entered_event = 0;
  base::Timestamp entered_at;
  std::vector<std::int64_t> attempts;  // made by each retrier
  std::int64_t retry_count = 0;
  std::string task_token;
  std::int64_t task = 0;  // 0: none
  bool task_started = false;
  std::int64_t timer = 0;    // Wait or retry
  std::int64_t timeout = 0;  // timers of the task
  std::int64_t heartbeat = 0;
  std::int64_t heartbeat_seconds = 0;
  std::optional<Fork> fork;
};

struct ExecutionState {
  // Fixed at the start.
  std::string arn;
  std::string name;
  std::string role_arn;
  std::string machine_arn;
  std::string machine_name;
  std::string region = "us-east-1";
  base::Timestamp started_at;
  Data input;
  std::size_t flow = 0;         // of a distributed Map's child: its processor
  std::optional<MapItem> item;  // of such a child

  Status status = Status::running;
  Data output;
  std::optional<std::string> error;
  std::optional<std::string> cause;
  std::map<std::int64_t, Branch> branches;  // 0 is the main one
  std::deque<std::int64_t> ready;           // branches that can go on
  std::int64_t next_branch = 0;
  std::int64_t next_event = 1;
  std::int64_t next_task = 1;
  std::int64_t next_timer = 1;
  std::int64_t execution_timer = 0;
};

[[nodiscard]] json::value to_json(const ExecutionState& state);
// Throws base::Error(data_corrupted).
[[nodiscard]] ExecutionState execution_from_json(const json::value& value);

}  // namespace andon::asl
