// SPDX-License-Identifier: Apache-2.0
// The commands that are under way, in memory: asked again until the device answers, their answers
// put in order and kept until they are read, their ends. What comes twice, late, out of order or
// from another device than the one that was asked is dropped. A device may send as much as there is
// room for, and room comes by reading, so that a command holds at most fleet::kCommandWindow
// answers, whoever does not read. Any thread; nothing blocks, and nobody is called under the lock.
// Time comes from outside. A server that ends forgets them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/commands/types.hpp"
#include "fleet/command/command_request.hpp"

namespace andon::control {

struct CommandLimits {
  std::size_t of_thing = 4;  // under way at a time
  std::size_t of_all = 200;
  std::size_t readers = 4;  // that wait for one command
  std::chrono::milliseconds ask_again{2'000};
  std::chrono::milliseconds look_after{7'000};  // a device that has said nothing for so long
  std::chrono::milliseconds silence{25'000};    // after which it is given up
  std::chrono::milliseconds unread{60'000};     // nobody has read for so long
  std::chrono::milliseconds left{5'000};        // nor since a reader went
  std::chrono::milliseconds kept{120'000};      // once it is over
};

class RunningCommands {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  // To a topic of DeviceTopics::command(word).
  using Send = std::function<void(const std::string& thing, std::string_view word,
                                  const std::string& payload)>;
  using Read = std::function<void(const CommandPage&)>;

  RunningCommands(Send send, CommandLimits limits) : send_(std::move(send)), limits_(limits) {}

  // Takes a place; nothing is sent yet. Throws resource_exhausted where there is none.
  void reserve(const std::string& thing, const fleet::CommandRequest& request, Instant now);
  void begin(const std::string& id, Instant now);
  void forget(const std::string& id);  // what has not begun

  // What came from `thing` on the topic of its answers.
  void take(const std::string& thing, const std::string& id, std::string_view payload, Instant now);

  // The answers behind `after`, all before which are done with; where there are none yet, waits
  // that long for some, or for the end. `done` is called once, perhaps before it returns. Throws
  // not_found, invalid_argument for a place that has not been reached, failed_precondition for one
  // that was read over.
  void read(const std::string& id, std::uint64_t after, std::chrono::milliseconds wait, Read done,
            Instant now);
  // Who waited in read() has gone. Where nobody comes soon, nobody wants it any more.
  void reader_gone(const std::string& id, Instant now);
  // False where it is over, or not known.
  bool cancel(const std::string& id, const std::string& why, Instant now);

  // What is due by now.
  void tick(Instant now);

  // The status of one that is not over, or is still to be read.
  [[nodiscard]] std::optional<CommandOutcome> outcome(const std::string& id) const;
  // Those that have come to their end and were not settled yet, oldest first.
  [[nodiscard]] std::vector<std::pair<std::string, CommandOutcome>> ended() const;
  void settle(const std::string& id);

  struct Counts {
    std::size_t running = 0;
    std::uint64_t dropped = 0;  // answers that were late, repeated, or none
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Reader {
    Instant until;
    Read done;
  };
  struct Running {
    std::string thing;
    fleet::CommandRequest request;
    bool has_begun = false;
    Instant deadline;
    Instant sent;
    Instant heard;
    Instant looked_after;
    Instant read_at;
    std::optional<Instant> left_at;  // since when nobody reads, where that is known
    Instant ended_at;
    bool end_was_told = false;   // to who reads
    std::uint64_t received = 0;  // all up to it have come
    std::uint64_t taken = 0;     // all up to it have been read
    std::uint64_t bytes = 0;
    std::deque<fleet::CommandAnswer> answers;  // behind `taken`
    std::vector<Reader> readers;
    CommandOutcome outcome;
  };
  // What is to be done once the lock is gone.
  struct Effects {
    struct Message {
      std::string thing;
      std::string_view word;
      std::string payload;
    };
    std::vector<Message> messages;
    std::vector<std::pair<Read, CommandPage>> pages;
  };

  void ask(Running& command, Instant now, Effects& effects) const;
  static void grant(const Running& command, Effects& effects);
  void take_answer(Running& command, fleet::CommandAnswer answer, Instant now, Effects& effects);
  void end(Running& command, CommandOutcome outcome, Instant now, Effects& effects);
  void stop(Running& command, CommandOutcome outcome, Instant now, Effects& effects);
  void look_at(Running& command, Instant now, Effects& effects);
  static CommandPage page_of(Running& command);
  static void serve(Running& command, Effects& effects);
  void carry_out(Effects& effects) const;
  void make_room();

  const Send send_;
  const CommandLimits limits_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Running, std::less<>> commands_;
  std::vector<std::pair<std::string, CommandOutcome>> ended_;
  std::uint64_t dropped_ = 0;
};

}  // namespace andon::control
