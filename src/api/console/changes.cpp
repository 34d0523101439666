// SPDX-License-Identifier: Apache-2.0
#include "api/console/changes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/table/catalogue/access_rows.hpp"
#include "base/text/id.hpp"
#include "base/text/number.hpp"
#include "control/shared/outbox.hpp"
#include "control/shared/own_events.hpp"

namespace andon::api {
namespace {

using wire::HttpResponse;

constexpr std::array<std::string_view, kChangeKinds> kNames{
    "",        "devices",  "deployments", "models", "executions", "results",
    "objects", "triggers", "functions",   "access", "upkeep"};
constexpr std::chrono::milliseconds kGlance{1000};
// So long a browser waits before it comes back: what happens meanwhile is one event.
constexpr std::string_view kPause = "retry: 500\n";

struct Source {
  std::string_view name;
  ChangeKind kind;
};
constexpr std::array kOutboxKinds{Source{control::kModelEvent, ChangeKind::models},
                                  Source{control::kDeploymentEvent, ChangeKind::deployments},
                                  Source{control::kComponentsEvent, ChangeKind::devices},
                                  Source{control::kDeviceEvent, ChangeKind::devices},
                                  Source{control::kAlarmEvent, ChangeKind::devices},
                                  Source{control::kJobsChanged, ChangeKind::deployments}};

HttpResponse event_stream(std::string text) {
  HttpResponse response;
  response.headers.set("Content-Type", "text/event-stream");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.body = std::move(text);
  return response;
}

}  // namespace

ChangeKind changed_by(std::string_view service, std::string_view operation) {
  if (service == "s3") return ChangeKind::objects;
  const AccessRow* const row = find_access_row(service, operation);
  return row == nullptr ? ChangeKind::none : row->changes.value_or(ChangeKind::none);
}

ChangeKind changed_by_outbox(std::string_view kind) {
  const auto* const found = std::ranges::find(kOutboxKinds, kind, &Source::name);
  return found == kOutboxKinds.end() ? ChangeKind::none : found->kind;
}

Changes::Changes(std::function<std::int64_t()> newest_result)
    : boot_(base::random_uuid().substr(0, 8)), newest_result_(std::move(newest_result)) {
  worker_.emplace(
      "console events", [this] { return step(); }, kGlance);
}

void Changes::note(ChangeKind kind) {
  if (kind == ChangeKind::none) return;
  const std::lock_guard lock(mutex_);
  changed_at_.at(static_cast<std::size_t>(kind)) = ++count_;
  if (!waiting_.empty()) worker_->wake();  // it is there for as long as somebody may wait
}

HttpResponse Changes::event_since(std::uint64_t after) const {
  std::string kinds;
  for (std::size_t i = 0; i < kChangeKinds; ++i) {
    if (changed_at_.at(i) <= after) continue;
    kinds += (kinds.empty() ? "" : " ") + std::string(kNames.at(i));
  }
  return event_stream(std::string(kPause) + "id: " + boot_ + "-" + std::to_string(count_) +
                      "\nevent: changed\ndata: " + kinds + "\n\n");
}

HttpResponse Changes::wait(std::string_view last) {
  const std::size_t dash = last.find('-');
  const auto after = last.substr(0, dash) == boot_ && dash != std::string_view::npos
                         ? base::parse_int64(std::string(last.substr(dash + 1)))
                         : std::nullopt;
  std::optional<Waiter> oldest;
  HttpResponse response;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return event_stream("retry: 2000\n\n");
    // Of another start: whatever it knew may have changed.
    if (!after) return event_since(last.empty() ? count_ : 0);
    const auto seen = static_cast<std::uint64_t>(std::max<std::int64_t>(0, *after));
    if (seen < count_) return event_since(seen);
    if (waiting_.size() >= kMostWaiting) {
      oldest = std::move(waiting_.front());
      waiting_.pop_front();
    }
    Waiter waiter{.later = std::make_shared<wire::LaterResponse>(),
                  .is_gone = std::make_shared<std::atomic<bool>>(false),
                  .after = seen,
                  .until = std::chrono::steady_clock::now() + kLongest};
    waiter.later->when_gone([is_gone = waiter.is_gone] { *is_gone = true; });
    response.later = waiter.later;
    waiting_.push_back(std::move(waiter));
  }
  if (oldest) oldest->later->answer(event_stream("retry: 5000\n\n"));
  return response;
}

void Changes::look_for_results() {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) return;
  }
  const std::int64_t newest = newest_result_ ? newest_result_() : -1;
  const bool is_new = last_result_ >= 0 && newest != last_result_;
  last_result_ = newest;
  if (!is_new) return;
  const std::lock_guard lock(mutex_);
  changed_at_.at(static_cast<std::size_t>(ChangeKind::results)) = ++count_;
}

bool Changes::step() {
  look_for_results();
  std::vector<std::pair<std::shared_ptr<wire::LaterResponse>, HttpResponse>> answers;
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(waiting_, [&](const Waiter& waiter) {
      if (*waiter.is_gone) return true;
      if (waiter.after < count_) {
        answers.emplace_back(waiter.later, event_since(waiter.after));
      } else if (waiter.until <= now) {
        answers.emplace_back(waiter.later, event_stream(std::string(kPause) + "\n"));
      } else {
        return false;
      }
      return true;
    });
  }
  for (auto& [later, response] : answers) later->answer(std::move(response));
  return false;
}

void Changes::stop() {
  std::list<Waiter> left;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    left.swap(waiting_);
  }
  worker_.reset();
  for (const Waiter& waiter : left) waiter.later->answer(event_stream("retry: 2000\n\n"));
}

}  // namespace andon::api
