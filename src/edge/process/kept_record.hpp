// SPDX-License-Identifier: Apache-2.0
// What an agent writes down of a service that its keeper carries over the agent's end, for the next
// agent: one directory a component, <root>/run/processes/kept/NAME, with
//   record.json  this, by the agent (0600: it has the component's token)
//   state        how the process is, by the keeper (keep/record/state_file.hpp)
//   lock         locked as long as the keeper is there
// Main thread only. Not fsynced: after a power cut there are no processes to take up.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/os/file.hpp"
#include "edge/loop/event_loop.hpp"
#include "keep/record/state_file.hpp"

namespace andon::edge {

// Which of a component's steps it is: the service is the one or the other.
enum class ServiceStep { startup, run };

struct KeptRecord {
  std::string component;
  std::string version;
  std::string identity;  // of its ComponentSpec
  ServiceStep step = ServiceStep::run;
  std::string mark;   // in its environment (process_journal.hpp)
  std::string token;  // by which it is known over IPC
  int errors = 0;     // in a row, before it
  bool said_running = false;
  bool has_client = false;           // of the component IPC
  std::vector<std::string> cgroups;  // directories (control_groups.hpp)
  std::string boot;                  // of the machine, in whose time the following are
  LoopClock::Instant started;
  std::optional<LoopClock::Instant> deadline;
};

// Throws data_corrupted for what is none.
[[nodiscard]] KeptRecord parse_kept_record(std::string_view text);
[[nodiscard]] std::string to_text(const KeptRecord& record);

// The whole of it or what was there before, without waiting for the disk.
void write_kept_record(const base::fs::path& directory, const KeptRecord& record);

// Empty where the kernel does not tell.
[[nodiscard]] std::string boot_id();

struct KeptPlace {
  base::fs::path directory;
  [[nodiscard]] base::fs::path record() const { return directory / "record.json"; }
  [[nodiscard]] base::fs::path state() const { return directory / "state"; }
  [[nodiscard]] base::fs::path lock() const { return directory / "lock"; }
};

// The keeper's word; empty where there is none, or not yet.
[[nodiscard]] std::optional<keep::KeptState> kept_state(const KeptPlace& place);
// Is the keeper there? Waits for nothing.
[[nodiscard]] bool has_keeper(const KeptPlace& place);

}  // namespace andon::edge
