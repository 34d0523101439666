// SPDX-License-Identifier: Apache-2.0
#include "edge/control/adoption.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "launch/slots/slots.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using launch::Slot;
using launch::Slots;

constexpr std::chrono::milliseconds kGlance{200};
// After the trial's own time: the launcher's alarm, and the start of the agent before.
constexpr std::chrono::seconds kSlack{90};

std::optional<Slots> slots_of(const Layout& layout) {
  Slots slots;
  if (launch::read_slots(agents_directory(layout).c_str(), slots)) return slots;
  return std::nullopt;
}

Slots require_slots(const Layout& layout) {
  if (auto slots = slots_of(layout)) return *slots;
  throw base::Error(base::ErrorCode::failed_precondition,
                    "the agent of " + layout.root().string() +
                        " was not started by andon-launcher, so that it cannot be replaced by a "
                        "component: start it as the package's andon-edge.service does, or install "
                        "a newer package");
}

void save(const Layout& layout, const Slots& slots) {
  if (launch::write_slots(agents_directory(layout).c_str(), slots)) return;
  throw base::system_error("cannot write which agent runs in " + agents_directory(layout).string(),
                           errno);
}

fs::path own_program() {
  return fs::read_symlink("/proc/self/exe");
}

std::string digest_of_own() {
  return trust::sha256_hex(base::read_file(own_program()));
}

}  // namespace

fs::path agents_directory(const Layout& layout) {
  return layout.root() / "agent";
}

int adopt_agent(const Layout& layout, std::chrono::seconds limit) {
  Slots slots = require_slots(layout);
  const fs::path program = own_program();
  const std::string content = base::read_file(program);
  const std::string digest = trust::sha256_hex(content);
  const bool is_on_trial = slots.trial.slot != Slot::base;
  if (!is_on_trial && digest == slots.active_digest) return 0;
  if (is_on_trial && digest == slots.trial.digest) return kRestartAgent;

  const Slot slot = slots.active == Slot::a ? Slot::b : Slot::a;
  const fs::path place = agents_directory(layout) / launch::name_of(slot);
  const std::string keeper = base::read_file(program.parent_path() / "andon-keeper");
  base::make_directories(place);
  base::write_file_atomically(place / "andon-keeper", keeper, 0755);
  base::write_file_atomically(place / "andon-edge", content, 0755);
  slots.trial = {};
  slots.trial.slot = slot;
  slots.trial.seconds = limit.count();
  std::memcpy(slots.trial.digest, digest.c_str(), sizeof slots.trial.digest);
  slots.failed[0] = '\0';
  save(layout, slots);
  return kRestartAgent;
}

void wait_for_adoption(const Layout& layout) {
  const std::string digest = digest_of_own();
  Slots slots = require_slots(layout);
  const auto limit =
      std::chrono::steady_clock::now() + std::chrono::seconds(slots.trial.seconds) + kSlack;
  while (slots.trial.slot != Slot::base && digest == slots.trial.digest) {
    if (std::chrono::steady_clock::now() >= limit) {
      throw base::Error(base::ErrorCode::deadline_exceeded,
                        "the agent on trial has neither reached its server nor been given up");
    }
    std::this_thread::sleep_for(kGlance);
    slots = require_slots(layout);
  }
  if (digest == slots.active_digest) return;
  throw base::Error(base::ErrorCode::failed_precondition,
                    digest == slots.failed
                        ? "the device has returned to its agent before: " + std::string(slots.why)
                        : "another agent than this one runs by now");
}

void leave_adoption(const Layout& layout) {
  Slots slots = require_slots(layout);
  slots.active = Slot::base;
  slots.active_digest[0] = '\0';
  slots.trial = {};
  save(layout, slots);
}

void become_adopted(const Layout& layout, char** arguments) {
  const auto slots = slots_of(layout);
  if (!slots) return;
  const Slot slot = slots->trial.slot != Slot::base ? slots->trial.slot : slots->active;
  if (slot == Slot::base) return;
  const fs::path program = agents_directory(layout) / launch::name_of(slot) / "andon-edge";
  std::error_code ignored;
  if (fs::equivalent(program, "/proc/self/exe", ignored)) return;
  execv(program.c_str(), arguments);
}

base::json::object describe_adoption(const Layout& layout) {
  const auto slots = slots_of(layout);
  if (!slots) return {};
  const bool is_on_trial = slots->trial.slot != Slot::base;
  base::json::object found{
      {"runs", launch::name_of(is_on_trial ? slots->trial.slot : slots->active)}};
  if (is_on_trial) found["onTrial"] = true;
  if (slots->failed[0] != '\0') found["returnedFrom"] = slots->why;
  return found;
}

}  // namespace andon::edge
