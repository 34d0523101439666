// SPDX-License-Identifier: Apache-2.0
// Room: commands. What the server asks of this device while somebody waits (fleet/command): taken,
// carried out, answered.
// What a command answers, on its way from the thread that carries it out to the loop that sends it.
// The thread waits while the server has no room for more, so that a command never holds much. One
// thread puts, one takes.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "edge/loop/cancellation.hpp"
#include "fleet/command/command_answer.hpp"

namespace andon::edge {

namespace json = base::json;

class CommandOutput {
 public:
  // `on_more` is called by the thread that puts, once there is something again. `cancellation` ends
  // its waiting; both outlive this.
  CommandOutput(const Cancellation& cancellation, std::function<void()> on_more)
      : cancellation_(cancellation), on_more_(std::move(on_more)) {}
  CommandOutput(const CommandOutput&) = delete;
  CommandOutput& operator=(const CommandOutput&) = delete;
  ~CommandOutput() = default;

  // Each throws base::Error(cancelled) where nobody wants any more.
  // Any bytes; what is no UTF-8 is replaced. A character may come in two parts.
  void text(std::string_view bytes, bool is_error_output = false);
  void row(json::object row);
  void data(std::string_view bytes);
  void progress(std::uint64_t bytes, std::uint64_t of_bytes, std::string text);
  // What is left of a character that was never whole.
  void flush();

  // For the loop; does not wait.
  [[nodiscard]] std::optional<fleet::CommandContent> take();

 private:
  void put(fleet::CommandContent content);

  static constexpr std::size_t kMostHeld = 4;

  const Cancellation& cancellation_;
  const std::function<void()> on_more_;
  std::string begun_[2];  // a character that is not whole yet, of output and of error output
  std::mutex mutex_;      // guards what follows
  std::condition_variable taken_;
  std::deque<fleet::CommandContent> held_;
};

}  // namespace andon::edge
