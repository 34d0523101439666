// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/edge_trigger.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "inspect/outputs/driver.hpp"
#include "inspect/outputs/urgent_thread.hpp"

namespace andon::inspect {

using std::chrono::milliseconds;

namespace {

constexpr milliseconds kLook{100};  // then the thread sees whether it is to end
constexpr milliseconds kAnswerTime{500};

class ModbusEdges final : public EdgeSource {
 public:
  explicit ModbusEdges(const ModbusTriggerSettings& settings)
      : settings_(settings), connection_(settings.peer) {}

  [[nodiscard]] std::string name() const override { return to_string(settings_.peer); }
  void open() override {
    connection_.open(std::chrono::steady_clock::now() + kAnswerTime);
    was_on_ = read();
    next_ = std::chrono::steady_clock::now() + settings_.poll;
  }
  [[nodiscard]] std::optional<Instant> wait() override {
    const Instant give_up = std::chrono::steady_clock::now() + kLook;
    while (next_ < give_up) {
      std::this_thread::sleep_until(next_);
      const Instant asked = std::chrono::steady_clock::now();
      next_ = asked + settings_.poll;
      const bool is_on = read();
      const bool was_on = std::exchange(was_on_, is_on);
      if (is_on == was_on) continue;
      const bool is_wanted =
          settings_.edge == TriggerEdge::both || (settings_.edge == TriggerEdge::rising) == is_on;
      if (is_wanted) return asked;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] bool read() {
    return connection_.read(settings_.table, settings_.address,
                            std::chrono::steady_clock::now() + kAnswerTime) != 0;
  }

  const ModbusTriggerSettings settings_;
  ModbusConnection connection_;
  bool was_on_ = false;
  Instant next_{};
};

class GpioEdges final : public EdgeSource {
 public:
  explicit GpioEdges(const GpioTriggerSettings& settings)
      : settings_(settings), line_(settings.place) {}

  [[nodiscard]] std::string name() const override { return to_string(settings_.place); }
  void open() override { line_.open_input(settings_.edge); }
  [[nodiscard]] std::optional<Instant> wait() override { return line_.wait(kLook); }

 private:
  const GpioTriggerSettings settings_;
  GpioLine line_;
};

}  // namespace

std::unique_ptr<EdgeSource> make_edge_source(const ModbusTriggerSettings& settings) {
  return std::make_unique<ModbusEdges>(settings);
}

std::unique_ptr<EdgeSource> make_edge_source(const GpioTriggerSettings& settings) {
  return std::make_unique<GpioEdges>(settings);
}

EdgeTrigger::EdgeTrigger(std::unique_ptr<EdgeSource> source, TriggerCallbacks callbacks)
    : source_(std::move(source)), callbacks_(std::move(callbacks)) {
  thread_ = std::thread([this] { run(); });
}

EdgeTrigger::~EdgeTrigger() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool EdgeTrigger::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [this] { return is_stopped_; });
}

bool EdgeTrigger::is_stopped() const {
  const std::lock_guard lock(mutex_);
  return is_stopped_;
}

void EdgeTrigger::run() {
  be_urgent("trigger");
  Backoff backoff;
  bool is_gone = false;
  while (!is_stopped()) {
    milliseconds wait{0};
    try {
      source_->open();
      base::log_info("triggers are taken", {{"from", source_->name()}});
      backoff.succeeded();
      is_gone = false;
      follow();
      return;
    } catch (const base::Error& error) {
      wait = backoff.failed(std::chrono::steady_clock::now());
      if (!is_gone) {
        base::log_error("the trigger is gone; it is looked for again and again",
                        {{"from", source_->name()}, {"why", error.message()}});
      }
      is_gone = true;
    }
    if (!pause(wait)) return;
  }
}

void EdgeTrigger::follow() {
  while (!is_stopped()) {
    const auto edge = source_->wait();
    if (edge && !callbacks_.on_part("", *edge)) {
      base::log_error("a trigger is refused: too many parts are on their way",
                      {{"from", source_->name()}});
    }
  }
}

}  // namespace andon::inspect
