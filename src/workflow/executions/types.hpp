// SPDX-License-Identifier: Apache-2.0
// Executions as they are kept: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "asl/engine/step.hpp"
#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::workflow {

namespace json = base::json;

// The one who waits for an execution's end.
struct Parent {
  std::int64_t execution = 0;  // 0: nobody
  std::int64_t branch = 0;     // of a map's child
  std::int64_t index = 0;      // of a map's child: which; of a nested execution: the parent's task
};

struct Execution {
  std::int64_t id = 0;
  std::string arn;
  std::string name;
  std::string machine;  // unqualified ARN
  std::string revision;
  std::string version_arn;
  std::string alias_arn;
  asl::Status status = asl::Status::running;
  base::Timestamp started;
  std::optional<base::Timestamp> stopped;
  std::string input;
  std::optional<std::string> output;
  std::optional<std::string> error;
  std::optional<std::string> cause;
  std::string trace_header;
  Parent parent;
  std::string map_run;
  std::int64_t item_count = 0;
  std::int64_t redrive_count = 0;
  std::optional<base::Timestamp> redriven;
  std::string role;  // of its machine, where the driver has it in memory; not a column
  std::int64_t last_event = 0;
  std::int64_t sequence = 0;
};

enum class TaskKind : std::uint8_t { task, items, child, results };
[[nodiscard]] std::string_view to_string(TaskKind kind);
[[nodiscard]] TaskKind task_kind(std::string_view word);  // data_corrupted

// One thing that an execution waits for.
struct TaskKey {
  TaskKind kind = TaskKind::task;
  std::int64_t number = 0;  // of the task; of a map's child: its index
  std::int64_t branch = 0;  // of a map: its branch
  auto operator<=>(const TaskKey&) const = default;
};

struct TaskRow {
  TaskKey key;
  bool submitted = false;
  json::object body;
  std::string token;     // empty: no answer comes from outside
  std::string activity;  // empty: none
  std::string child;     // ARN of the child execution; empty: none
};

// What is known of a task while it is open.
struct OpenTask {
  std::string token;
  std::string child;
};

struct MapRunRow {
  std::string arn;
  std::int64_t execution = 0;
  std::int64_t branch = 0;
  std::string status = "RUNNING";
  base::Timestamp started;
  std::optional<base::Timestamp> stopped;
  std::int64_t max_concurrency = 0;
  std::int64_t tolerated_count = 0;
  double tolerated_percentage = 0;
  json::object counts;  // of items, by the names of MapRunItemCounts
  std::int64_t redrive_count = 0;
  std::optional<base::Timestamp> redriven;
};

}  // namespace andon::workflow
