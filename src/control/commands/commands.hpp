// SPDX-License-Identifier: Apache-2.0
// Room: commands. What people ask of a device while they wait: logs, a restart, a support bundle
// (fleet/command). Each is a row before it is sent and when it is over, with who asked and what
// came of it; its answers are in memory until they are read (RunningCommands). A server that is
// killed in the middle says so of its rows at the next start. The newest kMostKept rows are kept.
// Made by the server, whose notifier reaches the devices; any thread. Errors are base::Error.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time/time.hpp"
#include "control/commands/running_commands.hpp"
#include "control/shared/background_worker.hpp"
#include "control/shared/notifier.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

class Commands {
 public:
  struct Parts {
    store::Database& database;
    Notifier& notifier;
    const base::Clock& clock;
    // Told of each once its end is on the disk. Must not block.
    std::function<void(const CommandRecord&)> on_ended;
    CommandLimits limits = {};
  };
  explicit Commands(Parts parts);
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;
  ~Commands() = default;

  // `request` without its id and asker, which are given here. Throws invalid_argument, not_found
  // for an unknown thing, resource_exhausted where too many are under way.
  CommandRecord start(const std::string& thing, fleet::CommandRequest request,
                      const CommandAsker& asker);
  // From the connection to the broker; for topics of fleet::command_answers_filter().
  void take(std::string_view topic, std::string_view payload);
  // As RunningCommands has it.
  void read(const std::string& id, std::uint64_t after, std::chrono::milliseconds wait,
            RunningCommands::Read done);
  void reader_gone(const std::string& id);
  // not_found; failed_precondition where it is over.
  void cancel(const std::string& id, const std::string& by);

  [[nodiscard]] CommandRecord find(const std::string& id) const;  // not_found
  // The newest first; empty `thing`: of all.
  [[nodiscard]] Page<CommandRecord> list(const std::string& thing, const PageRequest& page) const;
  [[nodiscard]] RunningCommands::Counts counts() const { return running_.counts(); }

  static constexpr std::int64_t kMostKept = 10'000;

 private:
  void say_what_was_cut_off();
  bool step();
  void write_end(const std::string& id, const CommandOutcome& outcome);

  Parts parts_;
  RunningCommands running_;
  std::optional<BackgroundWorker> worker_;  // last: it uses all of the above
};

}  // namespace andon::control
