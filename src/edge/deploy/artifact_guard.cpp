// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/artifact_guard.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

constexpr std::chrono::seconds kTryAgain{10};

std::string reason_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& what) {
    return what.what();
  }
}

}  // namespace

ArtifactGuard::ArtifactGuard(Parts parts)
    : parts_(std::move(parts)), checker_(parts_.loop), fetcher_(parts_.loop) {}

ArtifactGuard::~ArtifactGuard() {
  cancellation_.cancel();
  for (const auto& [component, timer] : inquiries_) parts_.loop.cancel(timer);
}

bool ArtifactGuard::may_start(const std::string& name) {
  const InstalledComponent* const component = parts_.host.find(name);
  if (component == nullptr) return true;
  try {
    if (parts_.worker.is_in_place(*component)) return true;
  } catch (const base::Error&) {
    // The check in the background says what is wrong.
  }
  if (!inquiries_.contains(name)) look(*component);
  return false;
}

void ArtifactGuard::look(const InstalledComponent& component) {
  inquiries_[component.name] = 0;
  const auto inquiry = std::make_shared<Inquiry>(Inquiry{component, {}, {}, false});
  checker_.run(
      [inquiry, &worker = parts_.worker] { inquiry->placement = worker.check(inquiry->component); },
      [this, inquiry](const std::exception_ptr& error) { finish(inquiry, error); });
}

void ArtifactGuard::fetch(const std::shared_ptr<Inquiry>& inquiry) {
  inquiry->fetches = true;
  fetcher_.run(
      [this, inquiry] {
        parts_.worker.fetch_again(inquiry->component, cancellation_);
        inquiry->placement = parts_.worker.check(inquiry->component);
      },
      [this, inquiry](const std::exception_ptr& error) { finish(inquiry, error); });
}

void ArtifactGuard::finish(const std::shared_ptr<Inquiry>& inquiry,
                           const std::exception_ptr& error) {
  const std::string& name = inquiry->component.name;
  const InstalledComponent* const now = parts_.host.find(name);
  Component* const running = parts_.supervisor.find(name);
  if (now == nullptr || running == nullptr || now->identity() != inquiry->component.identity()) {
    // It has left, or another version is to be looked at.
    inquiries_.erase(name);
    if (running != nullptr) running->artifacts_ready();
    return;
  }
  if (error) return wait(name, reason_of(error));
  report(*inquiry);
  if (!inquiry->placement.is_complete()) {
    if (inquiry->fetches) return wait(name, parts_.host.note_of(name).text);
    running->artifacts_lost(parts_.host.note_of(name).text);
    return fetch(inquiry);
  }
  // What is changed faster than it is put back would keep the agent busy for nothing.
  if (!parts_.worker.is_in_place(*now)) return wait(name, "its artifacts change all the time");
  inquiries_.erase(name);
  running->artifacts_ready();
}

void ArtifactGuard::report(Inquiry& inquiry) {
  const InstalledComponent& component = inquiry.component;
  const Placement& placement = inquiry.placement;
  if (placement.is_new && placement.is_complete()) {
    parts_.host.forget_installed_version(component);
  }
  for (const auto* names : {&placement.missing, &placement.replaced}) {
    for (const std::string& name : *names) {
      if (std::ranges::find(inquiry.changed, name) == inquiry.changed.end()) {
        inquiry.changed.push_back(name);
      }
    }
  }
  if (inquiry.changed.empty()) return;  // only the mark did not fit
  std::string note =
      fmt::format("{} changed or vanished on this device's disk after verification; ",
                  fmt::join(inquiry.changed, ", "));
  note += placement.is_complete() ? "what was verified is back in place"
                                  : "it is fetched anew, and the component waits for it";
  base::log_warning(
      "artifacts are not as they were verified",
      {{"component", component.name}, {"version", component.version}, {"what", note}});
  parts_.host.take_note(component.name, {NoteCode::artifact_changed, std::move(note)});
  parts_.on_note(component.name);
}

void ArtifactGuard::wait(const std::string& name, const std::string& why) {
  base::log_warning("a component waits for its artifacts", {{"component", name}, {"why", why}});
  if (Component* const component = parts_.supervisor.find(name)) component->artifacts_lost(why);
  inquiries_[name] = parts_.loop.after(kTryAgain, [this, name] {
    inquiries_.erase(name);
    if (Component* const component = parts_.supervisor.find(name)) component->artifacts_ready();
  });
}

}  // namespace andon::edge
