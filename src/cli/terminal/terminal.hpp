// SPDX-License-Identifier: Apache-2.0
// What a person sees of long work: steps with their times, progress bars on a terminal and plain
// lines elsewhere. Talks on stderr, so that stdout stays for results. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace andon::cli {

class Terminal {
 public:
  Terminal();

  [[nodiscard]] bool is_terminal() const { return is_terminal_; }

  // "[12.3 s] text". The time is since this object was made.
  void step(std::string_view text);
  // An indented line under the step before.
  void detail(std::string_view text);
  void warning(std::string_view text);

  // Draws "label [####....] 45 %  5.4 of 12.1 MB", over itself on a terminal; elsewhere one line
  // when `done` reaches `total`. Does nothing where nothing has changed to the eye.
  void progress(std::string_view label, std::uint64_t done, std::uint64_t total);
  // The same for things that are counted: "label [####....] 45 %  9 of 20".
  void progress_count(std::string_view label, std::uint64_t done, std::uint64_t total);

 private:
  void draw_progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                     std::string_view amounts, std::string_view whole);
  void clear_progress();

  std::chrono::steady_clock::time_point start_;
  bool is_terminal_;
  bool has_colour_;
  bool progress_shown_ = false;
  std::string last_progress_;
};

// Asks on the terminal whether to do what `question` says, unless `yes`. Throws cancelled for
// another answer than "y" or "yes", UsageError where there is nobody to ask (--yes is needed then).
void confirm(const std::string& question, bool yes);

// "12.1 MB", "640 KB", "17 B": decimal units, three digits at most.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace andon::cli
