// SPDX-License-Identifier: Apache-2.0
// What one commit changes about one execution: its row, its state, the events, and what it waits
// for. Gathered outside of any transaction, then written in one. Any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "store/sql/database.hpp"
#include "workflow/executions/types.hpp"

namespace andon::workflow {

struct Commit {
  Execution row;            // as it will be; `sequence` and `last_event` are still the old ones
  bool is_new = false;      // insert it
  bool is_redrive = false;  // it had ended, and goes on
  bool resumes = false;     // there is more to do at once
  bool has_tasks = false;   // it waits for tasks afterwards: it is ours
  asl::Changes state;
  std::vector<asl::HistoryEvent> events;
  std::string events_text;                         // the same, as they are stored
  std::map<std::int64_t, base::Timestamp> timers;  // started
  std::vector<std::int64_t> cancelled_timers;
  std::vector<TaskRow> tasks;            // begun
  std::set<TaskKey> submitted;           // accepted: the outbox has done its part
  std::map<TaskKey, std::string> ended;  // over, with the token that they had
  std::vector<std::string> stops;        // ARNs of children that must end
  std::vector<MapRunRow> map_runs;
};

// Within the caller's transaction. Throws conflict where somebody else has gone on with the
// execution since it was read.
void write(store::Transaction& tx, const Commit& commit, const std::string& owner);

// A number for an execution or a place in a queue: by time, never twice in this process.
[[nodiscard]] std::int64_t new_number(base::Timestamp now);
// At the start: those that are there stay the older ones, whatever the clock says by now.
void numbers_begin_above(std::int64_t used);

}  // namespace andon::workflow
