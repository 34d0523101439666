// SPDX-License-Identifier: Apache-2.0
// Outputs that are on or off: a coil, a register, a GPIO line. On for a pulse where the part's
// verdict is one that it is for; without a pulse as the last verdict was. Its peer may be gone: it
// is looked for again with growing pauses, also while no part comes, and gets the state that it
// should have before anything else. One thread.
#pragma once

#include <memory>
#include <string>

#include "inspect/outputs/driver.hpp"

namespace andon::inspect {

// What is switched. Each call may wait until its deadline and throws unavailable; it is closed
// after that.
class Switch {
 public:
  Switch() = default;
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;
  virtual ~Switch() = default;

  [[nodiscard]] virtual bool is_open() const = 0;
  // With this state.
  virtual void open(bool is_on, Instant deadline) = 0;
  virtual void set(bool is_on, Instant deadline) = 0;
  // Is the peer still there? Asked now and then while no part comes.
  virtual void check(Instant) {}
};

class SwitchDriver final : public Driver {
 public:
  SwitchDriver(const OutputSettings& settings, std::unique_ptr<Switch> device);

  void give(const PartVerdict& part, Instant deadline) override;
  [[nodiscard]] std::optional<Instant> upkeep_at() const override;
  void upkeep(Instant now) override;
  [[nodiscard]] bool is_at_rest() const override;

  static constexpr std::chrono::milliseconds kCheckEvery{1'000};
  // Of what is done while no part comes: a part may come meanwhile.
  static constexpr std::chrono::milliseconds kUpkeepTime{250};
  // At the end: so long it is tried to set back what may be on behind a broken connection.
  static constexpr std::chrono::milliseconds kOweFor{2'000};

 private:
  void set(bool is_on, Instant deadline);
  void open(Instant deadline);
  void lost(const std::string& why);

  const OutputSettings settings_;
  std::unique_ptr<Switch> device_;
  Backoff backoff_;
  bool is_wanted_on_ = false;      // what it should show
  std::optional<Instant> off_at_;  // the end of the pulse
  Instant check_at_{};
  std::optional<Instant> owes_off_;  // it may be on at a peer that is gone; until when that counts
  bool is_gone_ = false;             // and the log says so
  std::string why_gone_;
};

[[nodiscard]] std::unique_ptr<Switch> make_switch(const ModbusOutput& output);
[[nodiscard]] std::unique_ptr<Switch> make_switch(const GpioOutput& output);

}  // namespace andon::inspect
