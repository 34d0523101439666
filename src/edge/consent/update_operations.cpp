// SPDX-License-Identifier: Apache-2.0
#include "edge/consent/update_operations.hpp"

#include <algorithm>
#include <utility>

#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostListeners = 256;
constexpr std::size_t kMostReasonBytes = 512;

std::string shortened(std::string text) {
  if (text.size() > kMostReasonBytes) text.resize(kMostReasonBytes);
  return text;
}

std::string seconds_text(milliseconds time) {
  return std::to_string((std::max<std::int64_t>(time.count(), 0) + 999) / 1000) + " s";
}

std::string join_names(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

void UpdateOperations::add_to(IpcOperations& operations) {
  operations["SubscribeToComponentUpdates"] = {
      StreamAfterAnswer::stays_open,
      [this](const IpcCall& call) { return listen(call, update_listeners_); }};
  operations["SubscribeToValidateConfigurationUpdates"] = {
      StreamAfterAnswer::stays_open,
      [this](const IpcCall& call) { return listen(call, validation_listeners_); }};
  operations["DeferComponentUpdate"] = {StreamAfterAnswer::closes,
                                        [this](const IpcCall& call) { return defer(call); }};
  operations["SendConfigurationValidityReport"] = {
      StreamAfterAnswer::closes, [this](const IpcCall& call) { return take_report(call); }};
}

json::object UpdateOperations::listen(const IpcCall& call,
                                      const std::shared_ptr<Listeners>& listeners) {
  if (listeners->size() >= kMostListeners) {
    throw IpcError("ServiceError", "too many subscriptions of " + call.operation);
  }
  const std::uint64_t id = next_id_++;
  listeners->insert({id, {call.component, call.stream}});
  call.stream->on_close(
      [this, alive = std::weak_ptr(alive_), listeners, id, component = call.component] {
        listeners->erase(id);
        if (alive.expired() || listens(*listeners, component)) return;
        const bool asked = question_ && (question_->on_validated ? validation_listeners_
                                                                 : update_listeners_) == listeners;
        if (asked) drop(component);  // it is gone, and has nothing to say any more
      });
  return {};
}

bool UpdateOperations::listens(const Listeners& listeners, const std::string& component) {
  return std::ranges::any_of(listeners,
                             [&](const auto& one) { return one.second.component == component; });
}

std::set<std::string> UpdateOperations::names(const Listeners& listeners) {
  std::set<std::string> found;
  for (const auto& [id, listener] : listeners) found.insert(listener.component);
  return found;
}

void UpdateOperations::send(const Listeners& listeners, const std::string& component,
                            std::string_view type, const json::object& event) {
  // A copy: a stream that fails to send removes its subscription.
  for (const auto& [id, listener] : Listeners(listeners)) {
    if (!component.empty() && listener.component != component) continue;
    if (const auto stream = listener.stream.lock()) stream->send_event(type, event);
  }
}

void UpdateOperations::validate(std::string deployment_id,
                                const std::map<std::string, json::object>& configurations,
                                milliseconds limit,
                                std::function<void(const std::optional<Refusal>&)> done) {
  give_up();
  Question question;
  question.deployment_id = std::move(deployment_id);
  question.limit = limit;
  question.begun = loop_.now();
  question.until = question.begun + limit;
  question.on_validated = std::move(done);
  for (const auto& [component, configuration] : configurations) {
    if (listens(*validation_listeners_, component)) question.unanswered.insert(component);
  }
  question_ = std::move(question);
  if (question_->unanswered.empty()) return settle();
  timer_ = loop_.after(limit, [this] {
    timer_ = 0;
    limit_reached();
  });
  const std::string id = question_->deployment_id;
  for (const std::string& component : std::set(question_->unanswered)) {
    send(*validation_listeners_, component, "ValidateConfigurationUpdateEvents",
         {{"validateConfigurationUpdateEvent",
           json::object{{"configuration", configurations.at(component)}, {"deploymentId", id}}}});
  }
}

void UpdateOperations::announce(std::string deployment_id, Restart restart, milliseconds limit,
                                std::function<void()> done) {
  give_up();
  Question question;
  question.deployment_id = std::move(deployment_id);
  question.restart = restart;
  question.limit = limit;
  question.begun = loop_.now();
  question.on_agreed = std::move(done);
  question_ = std::move(question);
  ask_again();
}

void UpdateOperations::ask_again() {
  question_->unanswered = names(*update_listeners_);
  question_->recheck_after = milliseconds{0};
  question_->deferred_by.clear();
  question_->deferring = false;
  question_->until = loop_.now() + question_->limit;
  if (question_->unanswered.empty()) return settle();
  timer_ = loop_.after(question_->limit, [this] {
    timer_ = 0;
    limit_reached();
  });
  const json::object event{
      {"preUpdateEvent", json::object{{"deploymentId", question_->deployment_id},
                                      {"isGgcRestarting", question_->restart == Restart::agent}}}};
  send(*update_listeners_, "", "ComponentUpdatePolicyEvents", event);
}

void UpdateOperations::give_up() {
  loop_.cancel(std::exchange(timer_, 0));
  question_.reset();
}

void UpdateOperations::tell_updated(const std::string& deployment_id) {
  send(*update_listeners_, "", "ComponentUpdatePolicyEvents",
       {{"postUpdateEvent", json::object{{"deploymentId", deployment_id}}}});
}

json::object UpdateOperations::defer(const IpcCall& call) {
  const base::JsonReader reader(call.request, "DeferComponentUpdate request");
  const std::string id = reader.string("deploymentId");
  const std::int64_t after = reader.optional_integer("recheckAfterMs").value_or(0);
  const std::string message = shortened(reader.optional_string("message").value_or(""));
  if (after < 0 || milliseconds(after) > kLongestDeferral) {
    throw invalid_arguments("recheckAfterMs must be from 0 (go on) to " +
                            std::to_string(milliseconds(kLongestDeferral).count()) + " (a day)");
  }
  if (!listens(*update_listeners_, call.component)) {
    throw invalid_arguments("component " + call.component +
                            " is not subscribed to component updates");
  }
  if (!question_ || !question_->on_agreed || question_->deployment_id != id) {
    throw invalid_arguments("no update of deployment '" + id + "' waits for an answer");
  }
  if (!question_->unanswered.contains(call.component)) {
    throw IpcError("ServiceError", "the time to answer to this update has passed");
  }
  if (after > 0) {
    question_->recheck_after = std::max(question_->recheck_after, milliseconds(after));
    question_->deferred_by += (question_->deferred_by.empty() ? "" : "; ") + call.component +
                              (message.empty() ? "" : ": " + message);
    base::log_info("a component defers an update",
                   {{"component", call.component}, {"ms", after}, {"why", message}});
  }
  // After this answer is out: the update may end the connection.
  loop_.post([this, alive = std::weak_ptr(alive_), id, component = call.component] {
    if (!alive.expired() && question_ && question_->deployment_id == id) drop(component);
  });
  return {};
}

json::object UpdateOperations::take_report(const IpcCall& call) {
  const base::JsonReader request(call.request, "SendConfigurationValidityReport request");
  const base::JsonReader report = request.child("configurationValidityReport");
  const std::string id = report.string("deploymentId");
  const std::string status = report.string("status");
  const std::string message = shortened(report.optional_string("message").value_or(""));
  if (status != "ACCEPTED" && status != "REJECTED") {
    throw invalid_arguments("status must be ACCEPTED or REJECTED");
  }
  if (!question_ || !question_->on_validated || question_->deployment_id != id ||
      !question_->unanswered.contains(call.component)) {
    throw invalid_arguments("no configuration of deployment '" + id +
                            "' waits for a report of component " + call.component);
  }
  loop_.post(
      [this, alive = std::weak_ptr(alive_), id, status, message, component = call.component] {
        if (alive.expired() || !question_ || question_->deployment_id != id) return;
        if (status == "ACCEPTED") return drop(component);
        const auto done = std::exchange(question_->on_validated, {});
        give_up();
        if (done) done(Refusal{component, message.empty() ? "it gave no reason" : message});
      });
  return {};
}

void UpdateOperations::drop(const std::string& component) {
  question_->unanswered.erase(component);
  if (question_->unanswered.empty() && !question_->deferring) settle();
}

void UpdateOperations::limit_reached() {
  if (question_->on_validated) {
    const Refusal late{
        join_names(question_->unanswered),
        "it did not say within " + seconds_text(question_->limit) + " whether it can use it"};
    const auto done = std::exchange(question_->on_validated, {});
    question_.reset();
    return done(late);
  }
  base::log_info("components said nothing to an update, which goes on",
                 {{"components", join_names(question_->unanswered)}});
  settle();
}

// Everybody has answered, or need not any more.
void UpdateOperations::settle() {
  loop_.cancel(std::exchange(timer_, 0));
  if (question_->on_validated) {
    const auto done = std::exchange(question_->on_validated, {});
    question_.reset();
    return done(std::nullopt);
  }
  const auto waited = std::chrono::duration_cast<milliseconds>(loop_.now() - question_->begun);
  const milliseconds left = milliseconds(kLongestDeferral) - waited;
  if (question_->recheck_after.count() > 0 && left.count() > 0) {
    const milliseconds pause = std::min(question_->recheck_after, left);
    question_->deferring = true;
    question_->unanswered.clear();
    question_->until = loop_.now() + pause;
    timer_ = loop_.after(pause, [this] {
      timer_ = 0;
      ask_again();
    });
    return;
  }
  const auto done = std::exchange(question_->on_agreed, {});
  question_.reset();
  done();
}

std::string UpdateOperations::waits_for() const {
  if (!question_) return "";
  const auto left = std::chrono::duration_cast<milliseconds>(question_->until - loop_.now());
  const std::string within = " (at most " + seconds_text(left) + " more)";
  if (question_->deferring) {
    return "the update is deferred by " + question_->deferred_by + " (asked again in " +
           seconds_text(left) + ")";
  }
  const std::string who = join_names(question_->unanswered);
  return question_->on_validated ? "waiting for " + who + " to check the new configuration" + within
                                 : "waiting for " + who + " to agree to the update" + within;
}

}  // namespace andon::edge
