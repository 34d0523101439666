// SPDX-License-Identifier: Apache-2.0
// The main loop: takes pictures from the directory, has each inspected and published, follows
// changes of the configuration, and ends after the picture in hand when asked to. Runs on main's
// thread.
#pragma once

#include <deque>
#include <functional>
#include <optional>

#include "inspect/directory_source.hpp"
#include "inspect/events.hpp"
#include "inspect/inspector.hpp"
#include "inspect/settings.hpp"

namespace andon::inspect {

class Service {
 public:
  enum class Mode { watch, once };  // once: ends when each picture that is there has its result

  struct Counts {
    std::uint64_t inspected = 0;
    std::uint64_t known = 0;
  };

  // `read_settings` is called at the start and after each nudge of `events`; what it throws is
  // fatal at the start, and later only logged: the settings then stay as they were.
  Service(Events& events, Inspector& inspector, const base::Clock& clock,
          std::function<Settings()> read_settings, Mode mode);

  // Returns when it is done (Mode::once) or was asked to stop.
  Counts run();

 private:
  struct Waiting {
    base::fs::path path;
    base::Timestamp not_before;
  };

  void follow_settings();
  void take_pictures();
  // The next one that is due.
  [[nodiscard]] std::optional<base::fs::path> next();
  void inspect(const base::fs::path& path);
  // Tries until the sinks have everything or the program is to end.
  void publish();
  void wait_for_work();
  // Follows the settings if they changed meanwhile; false when the program is to end.
  [[nodiscard]] bool wait(std::chrono::milliseconds time);
  [[nodiscard]] std::optional<std::chrono::milliseconds> wait_limit() const;

  Events& events_;
  Inspector& inspector_;
  const base::Clock& clock_;
  std::function<Settings()> read_settings_;
  Mode mode_;
  Settings settings_;
  std::optional<DirectorySource> source_;
  std::deque<Waiting> waiting_;
  Counts counts_;
  bool has_unused_memory_ = true;
};

}  // namespace andon::inspect
