// SPDX-License-Identifier: Apache-2.0
// How far an export has come: a file beside its stream, written after what it tells of was
// acknowledged. After a crash it tells of less rather than more, so that messages are exported at
// least once. Values and plain functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/os/file.hpp"
#include "edge/streams/store/stream_definition.hpp"

namespace andon::edge {

struct ExportCursor {
  std::int64_t next = 0;   // the first that is not exported
  std::int64_t start = 0;  // the start of the definition that it began with
  std::int64_t bytes = 0;  // exported
  std::int64_t messages = 0;
  std::int64_t last_attempt_ms = 0;
};

// Below `directory`; `kind` is "cursor" or "upload".
[[nodiscard]] base::fs::path export_file(const base::fs::path& directory,
                                         const std::string& identifier, const char* kind);
// Nothing where there is none, or one that cannot be read: the export begins anew.
[[nodiscard]] std::optional<ExportCursor> read_cursor(const base::fs::path& file);
void write_cursor(const base::fs::path& file, const ExportCursor& cursor);

}  // namespace andon::edge
