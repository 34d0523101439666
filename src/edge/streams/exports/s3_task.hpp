// SPDX-License-Identifier: Apache-2.0
// This room carries messages of streams away: when and in which order (Exporter), how far each
// export has come (ExportCursor), and to where (HttpExport, MqttExport, S3Export).
//
// What the messages of a stream with an S3 task executor say, and what is written to its status
// stream: JSON, as the stream manager's clients write and read it. Pure; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "edge/streams/store/stream_definition.hpp"

namespace andon::edge {

struct S3Task {
  base::fs::path input;
  std::string bucket;
  std::string key;  // its expressions not replaced yet
  std::map<std::string, std::string> metadata;
  base::json::object document;  // as it was given, for status messages
};

// Throws base::Error(invalid_argument) that says what is wrong with the task.
[[nodiscard]] S3Task read_s3_task(std::string_view payload);

// "a/!{timestamp:YYYY/MM}/b": each expression replaced by that time in UTC, its pattern as Java's
// DateTimeFormatter reads it (weeks as in the United States: they begin on Sunday, and the first is
// the one with 1 January). Throws base::Error(invalid_argument) for another namespace or letter.
[[nodiscard]] std::string resolve_key(std::string_view key, base::Timestamp time);

enum class TaskStatus : int {
  success = 0,
  failure = 1,
  in_progress = 2,
  warning = 3,
  canceled = 4
};
[[nodiscard]] StatusLevel level_of(TaskStatus status);

struct TaskEvent {
  TaskStatus status = TaskStatus::in_progress;
  std::string message;
  std::string stream;
  std::string identifier;  // of the export
  std::int64_t sequence = 0;
};
// `document`: the task's, empty where it could not be read.
[[nodiscard]] std::string status_message(const TaskEvent& event, const base::json::object& document,
                                         base::Timestamp now);

}  // namespace andon::edge
