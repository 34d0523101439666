// SPDX-License-Identifier: Apache-2.0
#include "inspect/outputs/switch_driver.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

namespace {

Instant now() {
  return std::chrono::steady_clock::now();
}

class ModbusSwitch final : public Switch {
 public:
  explicit ModbusSwitch(const ModbusOutput& output) : output_(output), connection_(output.peer) {}

  [[nodiscard]] bool is_open() const override { return connection_.is_open(); }
  void open(bool is_on, Instant deadline) override {
    connection_.open(deadline);
    set(is_on, deadline);
  }
  void set(bool is_on, Instant deadline) override {
    connection_.write(output_.table, output_.address, is_on ? output_.value : output_.rest,
                      deadline);
  }
  void check(Instant deadline) override {
    try {
      static_cast<void>(connection_.read(output_.table, output_.address, deadline));
    } catch (const Error& error) {
      // It answers; that it does not let this be read is its own affair.
      if (error.code() != ErrorCode::invalid_argument) throw;
    }
  }

 private:
  const ModbusOutput output_;
  ModbusConnection connection_;
};

class GpioSwitch final : public Switch {
 public:
  explicit GpioSwitch(const GpioOutput& output) : line_(output.place) {}

  [[nodiscard]] bool is_open() const override { return line_.is_open(); }
  void open(bool is_on, Instant) override { line_.open_output(is_on); }
  void set(bool is_on, Instant) override { line_.set(is_on); }

 private:
  GpioLine line_;
};

}  // namespace

std::unique_ptr<Switch> make_switch(const ModbusOutput& output) {
  return std::make_unique<ModbusSwitch>(output);
}

std::unique_ptr<Switch> make_switch(const GpioOutput& output) {
  return std::make_unique<GpioSwitch>(output);
}

SwitchDriver::SwitchDriver(const OutputSettings& settings, std::unique_ptr<Switch> device)
    : settings_(settings), device_(std::move(device)) {}

void SwitchDriver::lost(const std::string& why) {
  const milliseconds pause = backoff_.failed(now());
  why_gone_ = why;
  if (!owes_off_) owes_off_ = now() + kOweFor;
  if (is_gone_) return;
  is_gone_ = true;
  base::log_error("an output of the line is gone; it is looked for again and again",
                  {{"output", settings_.name}, {"why", why}, {"pause_ms", pause.count()}});
}

void SwitchDriver::open(Instant deadline) {
  device_->open(is_wanted_on_, deadline);
  backoff_.succeeded();
  owes_off_.reset();
  check_at_ = now() + kCheckEvery;
  if (is_gone_) base::log_info("an output of the line is back", {{"output", settings_.name}});
  is_gone_ = false;
}

void SwitchDriver::set(bool is_on, Instant deadline) {
  is_wanted_on_ = is_on;
  if (device_->is_open()) {
    try {
      device_->set(is_on, deadline);
      check_at_ = now() + kCheckEvery;
      return;
    } catch (const Error& error) {
      // A peer that was started anew has closed the connection: it is there at the next attempt.
      if (now() >= deadline) {
        lost(error.message());
        throw;
      }
    }
  } else if (!backoff_.may_try(now())) {
    throw Error(ErrorCode::unavailable, why_gone_);
  }
  try {
    open(deadline);
  } catch (const Error& error) {
    lost(error.message());
    throw;
  }
}

void SwitchDriver::give(const PartVerdict& part, Instant deadline) {
  const bool is_for_it = settings_.is_for(part.verdict.judgement);
  if (settings_.pulse == milliseconds{0}) {
    set(is_for_it, deadline);
    return;
  }
  try {
    set(true, deadline);
  } catch (const Error&) {
    // It was not told in time: it must not be told later, to another part.
    if (!off_at_) is_wanted_on_ = false;
    throw;
  }
  off_at_ = now() + settings_.pulse;
}

std::optional<Instant> SwitchDriver::upkeep_at() const {
  const Instant other = device_->is_open() ? check_at_ : backoff_.next();
  return off_at_ ? std::min(*off_at_, other) : other;
}

void SwitchDriver::upkeep(Instant at) {
  const Instant deadline = at + kUpkeepTime;
  if (off_at_ && at >= *off_at_) {
    off_at_.reset();
    is_wanted_on_ = false;
    if (!device_->is_open()) return;
    try {
      device_->set(false, deadline);
      check_at_ = now() + kCheckEvery;
    } catch (const Error& error) {
      lost(error.message());  // it is set back with the next connection
    }
    return;
  }
  try {
    if (!device_->is_open()) {
      if (backoff_.may_try(at)) open(deadline);
    } else if (at >= check_at_) {
      check_at_ = at + kCheckEvery;
      device_->check(deadline);
    }
  } catch (const Error& error) {
    lost(error.message());
  }
}

bool SwitchDriver::is_at_rest() const {
  const bool may_be_on = settings_.pulse > milliseconds{0} && owes_off_ && now() < *owes_off_;
  return !off_at_ && !may_be_on;
}

}  // namespace andon::inspect
