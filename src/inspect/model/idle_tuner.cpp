// SPDX-License-Identifier: Apache-2.0
#include "inspect/model/idle_tuner.hpp"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::inspect {
namespace {

// Other programs of the device go first, and so does the rest of this one.
constexpr int kNicer = 10;

}  // namespace

IdleTuner::IdleTuner(Measure measure)
    : measure_(std::move(measure)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!event_) throw base::system_error("cannot wait for measurements", errno);
}

IdleTuner::~IdleTuner() {
  interrupt();
  if (thread_.joinable()) thread_.join();
}

void IdleTuner::go_on() {
  if (is_measuring_ || is_finished_) return;
  is_measuring_ = true;
  is_interrupted_ = false;
  thread_ = std::thread([this] { run(); });
}

void IdleTuner::run() {
  // Of this thread and of those that it starts. Where it is refused, it works as it is.
  const auto self = static_cast<id_t>(gettid());
  [[maybe_unused]] const int refused =
      setpriority(PRIO_PROCESS, self, getpriority(PRIO_PROCESS, self) + kNicer);
  try {
    measured_ = measure_([this] { return is_interrupted_.load(); });
  } catch (const std::exception& error) {
    has_failed_ = true;
    base::log_warning("the model could not be tuned to this machine", {{"error", error.what()}});
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof one);
}

std::optional<vision::Tuning> IdleTuner::take() {
  std::uint64_t count = 0;
  if (read(event_.get(), &count, sizeof count) != sizeof count) return std::nullopt;
  thread_.join();
  is_measuring_ = false;
  is_finished_ = has_failed_ || measured_.has_value();
  return measured_;
}

}  // namespace andon::inspect
