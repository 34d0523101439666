// SPDX-License-Identifier: Apache-2.0
// Log groups, streams and events as they are kept, and what is asked about them: plain values.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"

namespace andon::control {

struct LogLimits {
  std::int64_t group_bytes = 256LL << 20U;   // of one group; its oldest events go first
  std::int64_t total_bytes = 1024LL << 20U;  // of all; the oldest of the largest group go first
  std::int64_t groups = 10'000;
  std::int64_t streams = 100'000;  // of one group
  // Of events in groups that have no retention of their own; nothing: until there is no room.
  std::optional<std::chrono::days> keep;
};

struct LogGroup {
  std::int64_t id = 0;
  std::string name;
  std::string log_class;
  base::Timestamp created;
  std::optional<std::int64_t> retention_days;
  std::int64_t bytes = 0;
};

struct LogStream {
  std::int64_t id = 0;
  std::string name;
  base::Timestamp created;
  std::optional<base::Timestamp> first;  // of its events that are kept
  std::optional<base::Timestamp> last;
  std::optional<base::Timestamp> ingested;
};

struct LogLine {
  base::Timestamp time;
  std::string message;
};

struct LogEvent {
  std::int64_t id = 0;
  std::string stream;
  base::Timestamp time;
  base::Timestamp ingested;
  std::string message;
};

struct NewLogGroup {
  std::string name;
  std::string log_class = "STANDARD";
  std::map<std::string, std::string> tags;
};

struct LogGroupFilter {
  std::string prefix;
  std::string part;       // somewhere in the name, whatever its case
  std::string log_class;  // empty: any
};

struct LogStreamFilter {
  std::string prefix;
  bool by_last_event = false;  // else by name
  bool descending = false;
};

// What a batch was too old, too new or too late for; its other lines are stored. Lines are in the
// order of their times, so each is a range: [0, end) or [start, ...).
struct PutOutcome {
  std::optional<std::size_t> too_new_start;
  std::optional<std::size_t> too_old_end;
  std::optional<std::size_t> expired_end;
  std::int64_t last_id = 0;  // of what was stored; 0: nothing was
};

// A point between events: after the event of this time and id, or before it, as one reads.
struct LogPlace {
  std::int64_t time_ms = 0;
  std::int64_t id = 0;
};

// Times are milliseconds since 1970; `until_ms` itself is outside.
struct LogRange {
  std::int64_t from_ms = 0;
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();
};

struct LogRead {
  LogRange range;
  std::optional<LogPlace> place;  // nothing: from the end that `backward` says
  bool backward = false;          // what is before the place, else what is after it
  std::size_t limit = 10'000;
};

struct LogPage {
  std::vector<LogEvent> events;  // oldest first, also where it was read backward
  LogPlace before;               // for the page before this one
  LogPlace after;                // and for the one after
};

struct LogSearch {
  LogRange range;
  std::vector<std::string> streams;  // none: all
  std::string stream_prefix;
  std::string pattern;
  std::optional<LogPlace> place;
  std::size_t limit = 10'000;
};

struct LogSearchPage {
  std::vector<LogEvent> events;
  std::optional<LogPlace> next;  // where there may be more; the events may be none even so
};

}  // namespace andon::control
