// SPDX-License-Identifier: Apache-2.0
// What systemd is told of a service that it watches (sd_notify(3)): that it is ready, that it
// lives, that it ends. One datagram each, without libsystemd. A value, made before threads are
// started; any thread may tell. Where nothing watches, nothing is told.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace andon::base {

class ServiceManager {
 public:
  ServiceManager() = default;  // nobody watches
  // `socket`: a path, or '@' and a name of the abstract namespace; empty: nobody watches.
  // `watchdog`: how long the service may be silent.
  ServiceManager(std::string socket, std::optional<std::chrono::microseconds> watchdog);

  // Of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which are taken out of the environment:
  // what this process starts has no business there.
  [[nodiscard]] static ServiceManager from_environment();

  // Gives the variables back to the environment, for the program that takes this one's place.
  void put_back() const;

  // Each waits a second at most for room in the socket; false where the word was not taken.
  bool ready() const { return tell("READY=1", kPatience); }  // NOLINT(modernize-use-nodiscard)
  bool stopping() const {                                    // NOLINT(modernize-use-nodiscard)
    return tell("STOPPING=1", kPatience);
  }
  // Never waits: one that is lost is made good by the next.
  bool alive() const {  // NOLINT(modernize-use-nodiscard)
    return tell("WATCHDOG=1", std::chrono::milliseconds{0});
  }

  // How often alive() is to be called: half of what the watchdog allows.
  [[nodiscard]] std::optional<std::chrono::milliseconds> alive_interval() const {
    return interval_;
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{1'000};

  // NOLINTNEXTLINE(modernize-use-nodiscard)
  bool tell(std::string_view state, std::chrono::milliseconds patience) const;

  std::string socket_;
  std::optional<std::chrono::milliseconds> interval_;
};

}  // namespace andon::base
