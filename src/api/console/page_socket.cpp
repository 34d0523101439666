// SPDX-License-Identifier: Apache-2.0
#include "api/console/page_socket.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "api/audit/call_audit.hpp"
#include "api/commands/commands.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "base/text/utf8.hpp"

namespace andon::api {
namespace {

namespace json = base::json;

constexpr std::size_t kMostAtOnce = 100;
constexpr std::size_t kMostBytesAtOnce = 256U << 10U;
constexpr std::size_t kMostRemembered = 1000;
constexpr std::size_t kMostReplies = 100;
constexpr int kForbidden = 403;
constexpr std::string_view kDenied = "AccessDeniedException";

wire::MqttOptions of_a_page(wire::MqttOptions options) {
  options.client_id += "#" + base::random_uuid();
  return options;
}

}  // namespace

PageSocket::PageSocket(const PageSocketParts& parts, wire::HttpRequest request, SessionCaller who,
                       std::function<void()> on_gone)
    : parts_(parts),
      request_(std::move(request)),
      on_gone_(std::move(on_gone)),
      who_(std::move(who)) {}

std::shared_ptr<wire::WebSocket> PageSocket::make_socket() {
  auto self = shared_from_this();
  auto socket = std::make_shared<wire::WebSocket>(
      wire::WebSocketParts{.on_text = [self](const std::string& text) { self->take_text(text); },
                           .next = [self] { return self->next(); },
                           .on_gone =
                               [self] {
                                 {
                                   const std::lock_guard lock(self->mutex_);
                                   self->is_gone_ = true;
                                 }
                                 self->unwatch();
                                 self->on_gone_();
                               }});
  const std::lock_guard lock(mutex_);
  socket_ = socket;
  return socket;
}

bool PageSocket::is_gone() const {
  const std::lock_guard lock(mutex_);
  return is_gone_;
}

void PageSocket::end(wire::WebSocketEnd how) {
  std::shared_ptr<wire::WebSocket> socket;
  {
    const std::lock_guard lock(mutex_);
    socket = socket_.lock();
  }
  if (socket) socket->end(std::move(how));
}

std::string PageSocket::arn(std::string_view kind, const std::string& name) const {
  return "arn:aws:iot:" + parts_.arns.region() + ":" + parts_.arns.account() + ":" +
         std::string(kind) + "/" + name;
}

void PageSocket::tell(json::object reply) {
  std::shared_ptr<wire::WebSocket> socket;
  {
    const std::lock_guard lock(mutex_);
    if (replies_.size() >= kMostReplies) replies_.pop_front();
    replies_.push_back(base::to_text(std::move(reply)));
    socket = socket_.lock();
  }
  if (socket) socket->wake();
}

void PageSocket::take_text(const std::string& text) {
  try {
    const PageAsk ask = read_page_ask(text);
    switch (ask.kind) {
      case PageAsk::Kind::subscribe:
        return subscribe(ask.filter);
      case PageAsk::Kind::unsubscribe:
        return unsubscribe(ask.filter);
      case PageAsk::Kind::watch:
        return watch({ask.thing, ask.component});
      case PageAsk::Kind::unwatch:
        return unwatch();
    }
  } catch (const base::Error& error) {
    tell({{"refused", ""}, {"code", base::to_string(error.code())}, {"message", error.message()}});
  } catch (const std::exception& error) {
    base::log_error("what a page asked on its socket failed",
                    {{"error", std::string(error.what())}});
    end({.code = 1011, .reason = "the server has failed"});
  }
}

std::optional<std::string> PageSocket::why_not_subscribe(const Caller& caller,
                                                         const std::string& filter) const {
  if (!is_open_filter(filter)) {
    return filter + " is between devices and their server: nobody else may look there";
  }
  return refusal(parts_.authorizer, caller, "iot:Subscribe", arn("topicfilter", filter));
}

void PageSocket::record(std::string_view service, std::string_view operation,
                        control::AuditAccess access, const std::string& resource,
                        const std::optional<std::string>& denied) const {
  CallAudit audit(parts_.audit, kConsoleVia, base::random_uuid(), request_);
  audit.set_operation(service, operation, access);
  SessionCaller who;
  {
    const std::lock_guard lock(mutex_);
    who = who_;
  }
  audit.set_caller(who.caller, parts_.authorizer);
  audit.set_detail("session " + who.session_id);
  audit.add_resource(resource);
  if (denied) {
    audit.failed(kForbidden, kDenied);
  } else {
    audit.begin();
    audit.succeeded();
  }
  audit.record();
}

void PageSocket::subscribe(const std::string& filter) {
  Caller caller;
  {
    const std::lock_guard lock(mutex_);
    caller = who_.caller;
    if (subscriptions_.size() >= kMostFilters && !subscriptions_.contains(filter)) {
      throw base::Error(base::ErrorCode::resource_exhausted,
                        "a page has at most 20 subscriptions: end another one");
    }
  }
  const auto denied = why_not_subscribe(caller, filter);
  record("iot", "Subscribe", control::AuditAccess::read, arn("topicfilter", filter), denied);
  if (denied) return tell({{"refused", filter}, {"code", kDenied}, {"message", *denied}});
  // Told before its messages come.
  tell({{"subscribed", filter}});
  {
    const std::lock_guard lock(mutex_);
    if (subscriptions_.contains(filter)) return;
    if (!client_) client_ = std::make_unique<wire::MqttClient>(of_a_page(parts_.broker));
  }
  const std::uint64_t id =
      client_->subscribe(filter, wire::Qos::at_least_once,
                         [this, filter](const wire::MqttMessage& seen) { take(filter, seen); });
  const std::lock_guard lock(mutex_);
  subscriptions_[filter] = id;
}

void PageSocket::unsubscribe(const std::string& filter) {
  std::uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(filter);
    if (found == subscriptions_.end()) return;
    id = found->second;
    subscriptions_.erase(found);
  }
  client_->unsubscribe(id);  // waits for take(), which takes the lock
  tell({{"unsubscribed", filter}});
}

std::string PageSocket::frame_arn(const LiveFrames::What& what) const {
  return "arn:aws:andon:" + parts_.arns.region() + ":" + parts_.arns.account() + ":command/frame/" +
         what.thing;
}

std::optional<std::string> PageSocket::why_not_watch(const Caller& caller,
                                                     const LiveFrames::What& what) const {
  return refusal(parts_.authorizer, caller, "andon:StartCommand", frame_arn(what));
}

void PageSocket::refuse_frame(const LiveFrames::What& what, std::string_view code,
                              const std::string& message) {
  tell({{"frameTrouble", json::object{{"thing", what.thing},
                                      {"component", what.component},
                                      {"code", code},
                                      {"message", message}}}});
}

void PageSocket::watch(const LiveFrames::What& what) {
  Caller caller;
  {
    const std::lock_guard lock(mutex_);
    if (is_gone_ || watched_ == what) return;
    caller = who_.caller;
  }
  unwatch();
  const auto denied = why_not_watch(caller, what);
  record("andon", "StartCommand", control::AuditAccess::write, frame_arn(what), denied);
  if (denied) return refuse_frame(what, kDenied, *denied);
  std::uint64_t look = 0;
  {
    const std::lock_guard lock(mutex_);
    watched_ = what;
    look = ++look_;
  }
  tell({{"watching", json::object{{"thing", what.thing}, {"component", what.component}}}});
  const std::uint64_t viewer = parts_.frames.watch(
      what, asker_of(parts_.authorizer, caller), [page = weak_from_this(), look](FrameText frame) {
        if (const auto there = page.lock()) there->take_frame(look, std::move(frame));
      });
  {
    const std::lock_guard lock(mutex_);
    if (!is_gone_ && look == look_) {
      viewer_ = viewer;
      return;
    }
  }
  parts_.frames.unwatch(viewer);  // it has gone meanwhile
}

void PageSocket::unwatch() {
  std::uint64_t viewer = 0;
  {
    const std::lock_guard lock(mutex_);
    watched_.reset();
    ++look_;
    frame_.reset();
    viewer = std::exchange(viewer_, 0);
  }
  if (viewer != 0) parts_.frames.unwatch(viewer);
}

void PageSocket::take_frame(std::uint64_t look, FrameText frame) {
  std::shared_ptr<wire::WebSocket> socket;
  {
    const std::lock_guard lock(mutex_);
    if (look != look_) return;
    frame_ = std::move(frame);
    socket = socket_.lock();
  }
  if (socket) socket->wake();
}

void PageSocket::disconnect() {
  unwatch();
  client_.reset();
}

bool PageSocket::may_see(const std::string& topic) {
  Caller caller;
  {
    const std::lock_guard lock(mutex_);
    const auto known = may_see_.find(topic);
    if (known != may_see_.end()) return known->second;
    caller = who_.caller;
  }
  const TopicSight sight = sight_of(topic);
  const auto may = [&](std::string_view action, const std::string& resource) {
    return !refusal(parts_.authorizer, caller, action, resource);
  };
  bool answer = !sight.is_closed && may("iot:Receive", arn("topic", topic));
  if (answer && !sight.thing.empty()) {
    const std::string name = sight.shadow.empty() ? "" : "/" + sight.shadow;
    answer = may("iot:GetThingShadow", parts_.arns.thing(sight.thing) + name);
  }
  if (answer && !sight.results_of.empty()) {
    answer = may("andon:ListResults", "arn:aws:andon:" + parts_.arns.region() + ":" +
                                          parts_.arns.account() + ":thing/" + sight.results_of);
  }
  const std::lock_guard lock(mutex_);
  if (may_see_.size() >= kMostRemembered) may_see_.clear();
  return may_see_[topic] = answer;
}

void PageSocket::take(const std::string& filter, const wire::MqttMessage& message) {
  if (!may_see(message.topic)) return;
  std::shared_ptr<wire::WebSocket> socket;
  {
    const std::lock_guard lock(mutex_);
    // Two filters that let it through make it no second message.
    const auto first = std::ranges::find_if(subscriptions_, [&](const auto& one) {
      return wire::topic_matches(one.first, message.topic);
    });
    if (!message.is_retained && first != subscriptions_.end() && first->first != filter) return;
    waiting_.push_back({message, parts_.clock.now()});
    waiting_bytes_ += message.topic.size() + message.payload.size();
    while (waiting_.size() > kMostWaiting ||
           (waiting_bytes_ > kMostWaitingBytes && waiting_.size() > 1)) {
      const wire::MqttMessage& oldest = waiting_.front().message;
      waiting_bytes_ -= oldest.topic.size() + oldest.payload.size();
      waiting_.pop_front();
      ++dropped_;
    }
    socket = socket_.lock();
  }
  if (socket) socket->wake();
}

json::object PageSocket::shown(const Seen& seen) {
  const std::string& payload = seen.message.payload;
  json::object object{{"topic", seen.message.topic},
                      {"bytes", payload.size()},
                      {"qos", static_cast<int>(seen.message.qos)},
                      {"retained", seen.message.is_retained},
                      {"time", base::to_iso8601(seen.time)}};
  const std::string_view start = std::string_view(payload).substr(0, kMostShown);
  if (base::is_utf8(payload)) {
    object["payload"] = base::utf8_prefix(start, kMostShown);
  } else {
    object["base64"] = base::to_base64(start);
  }
  return object;
}

std::optional<std::string> PageSocket::next() {
  std::vector<Seen> taken;
  std::uint64_t dropped = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!replies_.empty()) {
      std::string reply = std::move(replies_.front());
      replies_.pop_front();
      return reply;
    }
    if (const FrameText frame = std::exchange(frame_, nullptr)) return *frame;
    std::size_t bytes = 0;
    while (!waiting_.empty() && taken.size() < kMostAtOnce && bytes < kMostBytesAtOnce) {
      const wire::MqttMessage& oldest = waiting_.front().message;
      const std::size_t size = oldest.topic.size() + oldest.payload.size();
      bytes += std::min(size, kMostShown);
      waiting_bytes_ -= size;
      taken.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    dropped = std::exchange(dropped_, 0);
  }
  if (taken.empty()) return std::nullopt;
  json::array messages;
  for (const Seen& one : taken) messages.push_back(shown(one));
  return base::to_text(json::object{{"messages", std::move(messages)}, {"dropped", dropped}});
}

void PageSocket::look_again() {
  try {
    SessionCaller who = parts_.sign_in.caller_of(request_);
    const std::lock_guard lock(mutex_);
    who_ = std::move(who);
    may_see_.clear();
  } catch (const ServiceError&) {
    return end({.code = 4401, .reason = "the session has ended"});
  }
  std::vector<std::string> filters;
  std::optional<LiveFrames::What> watched;
  Caller caller;
  {
    const std::lock_guard lock(mutex_);
    watched = watched_;
    for (const auto& [filter, id] : subscriptions_) filters.push_back(filter);
    caller = who_.caller;
  }
  if (watched) {
    if (const auto denied = why_not_watch(caller, *watched)) {
      unwatch();
      refuse_frame(*watched, kDenied, *denied);
    }
  }
  for (const std::string& filter : filters) {
    const auto denied = why_not_subscribe(caller, filter);
    if (!denied) continue;
    unsubscribe(filter);
    tell({{"refused", filter}, {"code", kDenied}, {"message", *denied}});
  }
}

}  // namespace andon::api
