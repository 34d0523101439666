// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/own_trial.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/control/adoption.hpp"
#include "edge/state/state_database.hpp"
#include "launch/launcher/launcher.hpp"

namespace andon::edge {
namespace {

using launch::Slot;
using launch::Slots;

constexpr const char* kLog = "-wal";

void save(const fs::path& place, const Slots& slots) {
  if (launch::write_slots(place.c_str(), slots)) return;
  throw base::system_error("cannot write which agent runs in " + place.string(), errno);
}

void remove_copy(const fs::path& place) {
  const fs::path copy = place / launch::kStateCopy;
  fs::remove(copy);
  fs::remove(copy.string() + kLog);
}

bool is_own_program(const fs::path& place, Slot slot) {
  std::error_code ignored;
  return fs::equivalent("/proc/self/exe", place / launch::name_of(slot) / "andon-edge", ignored);
}

}  // namespace

OwnTrial::OwnTrial(EventLoop& loop, const Layout& layout, std::function<std::string()> problem,
                   std::function<void()> restart_agent)
    : loop_(loop),
      place_(agents_directory(layout)),
      problem_(std::move(problem)),
      restart_agent_(std::move(restart_agent)),
      worker_(loop) {
  is_on_trial_ = launch::read_slots(place_.c_str(), slots_) && slots_.trial.slot != Slot::base &&
                 is_own_program(place_, slots_.trial.slot);
}

OwnTrial::~OwnTrial() {
  loop_.cancel(timer_);
}

void OwnTrial::start() {
  if (!is_on_trial_) return;
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const std::chrono::seconds left(std::max<std::int64_t>(slots_.trial.until - now.tv_sec, 1));
  base::log_info("this agent is on trial", {{"limit_s", left.count()}});
  timer_ = loop_.after(left, [this] { give_up(); });
}

void OwnTrial::connected() {
  if (!std::exchange(is_on_trial_, false)) return;
  loop_.cancel(std::exchange(timer_, 0));
  worker_.run(
      [this] {
        slots_.active = slots_.trial.slot;
        std::memcpy(slots_.active_digest, slots_.trial.digest, sizeof slots_.active_digest);
        slots_.trial = {};
        save(place_, slots_);
        alarm(0);
        remove_copy(place_);
      },
      [](const std::exception_ptr& error) {
        if (!error) return base::log_info("this agent has reached its server, and stays");
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& what) {
          base::log_error("this agent's trial has ended well, and that cannot be written down",
                          {{"why", what.what()}});
        }
      });
}

void OwnTrial::give_up() {
  timer_ = 0;
  is_on_trial_ = false;
  const std::string problem = problem_();
  std::string why =
      "it had no connection to its server after " + std::to_string(slots_.trial.seconds) + " s";
  if (!problem.empty()) why += ": " + problem;
  base::log_error("this agent gives itself up for the one before", {{"why", why}});
  launch::give_up(slots_, why.c_str());
  worker_.run([this] { save(place_, slots_); },
              // What could not be written the launcher finds by itself: the time is over.
              [this](const std::exception_ptr&) { restart_agent_(); });
}

void OwnTrial::note_own_restart() {
  if (!is_on_trial_) return;
  slots_.trial.attempts = 0;
  save(place_, slots_);
}

std::unique_ptr<store::Database> open_own_state(const Layout& layout) {
  const fs::path place = agents_directory(layout);
  const fs::path copy = place / launch::kStateCopy;
  Slots slots;
  const bool is_back = launch::read_slots(place.c_str(), slots) && slots.trial.slot == Slot::base &&
                       fs::exists(copy);
  if (!is_back) return open_state_database(layout.database());
  std::unique_ptr<store::Database> database;
  try {
    database = open_state_database(layout.database());
  } catch (const base::Error& error) {
    if (error.code() != base::ErrorCode::failed_precondition) throw;
    base::log_warning("the state is a newer agent's: going on with that from before it",
                      {{"why", error.message()}});
    for (const char* suffix : {"-shm", kLog, ""}) fs::remove(layout.database().string() + suffix);
    if (fs::exists(copy.string() + kLog)) {
      fs::rename(copy.string() + kLog, layout.database().string() + kLog);
    }
    fs::rename(copy, layout.database());
    database = open_state_database(layout.database());
  }
  remove_copy(place);
  return database;
}

}  // namespace andon::edge
