// SPDX-License-Identifier: Apache-2.0
#include "edge/commands/command_runner.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::milliseconds kGlance{1000};
constexpr std::chrono::milliseconds kRatePause{50};
constexpr std::uint64_t kAtOnceBytes = 512U << 10U;
constexpr std::size_t kMostKnown = 64;

// Of a request that could not be read otherwise.
std::string id_of(const std::string& payload) {
  try {
    const json::value value = base::parse_json(payload, "command");
    std::string id = base::JsonReader(value, "command").string("id");
    return fleet::is_command_id(id) ? id : "";
  } catch (const Error&) {
    return "";
  }
}

fleet::CommandEnd end_of(const std::exception_ptr& error, json::object result, bool is_late) {
  if (!error) return {"", "", std::move(result)};
  try {
    std::rethrow_exception(error);
  } catch (const Error& problem) {
    if (is_late && problem.code() == ErrorCode::cancelled) {
      return {std::string(base::to_string(ErrorCode::deadline_exceeded)),
              "it was not done within its time",
              {}};
    }
    return {std::string(base::to_string(problem.code())), problem.message(), {}};
  } catch (const std::exception& problem) {
    return {std::string(base::to_string(ErrorCode::internal)), problem.what(), {}};
  }
}

}  // namespace

CommandRunner::CommandRunner(EventLoop& loop, MqttLink& link, const std::string& thing, Work work)
    : loop_(loop), link_(link), topics_(thing), work_(std::move(work)) {
  for (auto& worker : workers_) worker = std::make_unique<Worker>(loop_);
  subscription_ = link_.subscribe(topics_.any_command(), wire::Qos::at_least_once,
                                  [this](const wire::MqttMessage& message) {
                                    if (message.topic == topics_.command("ask"))
                                      asked(message.payload);
                                    if (message.topic == topics_.command("grant"))
                                      granted(message.payload);
                                    if (message.topic == topics_.command("cancel"))
                                      cancelled(message.payload);
                                  });
  link_.on_connection([this, alive = alive_](bool is_connected) {
    if (!*alive || !is_connected) return;
    for (auto& [id, command] : commands_) send_again(command);
  });
}

CommandRunner::~CommandRunner() {
  *alive_ = false;
  link_.unsubscribe(subscription_);
  loop_.cancel(timer_);
  for (auto& [id, command] : commands_) command.shared->cancellation.cancel();
}

void CommandRunner::publish(const std::string& id, const std::string& payload) {
  link_.publish({topics_.command_answers(id), payload}, wire::Qos::at_least_once, {}, {});
}

void CommandRunner::refuse(const std::string& id, ErrorCode code, const std::string& why) {
  publish(id, to_message(fleet::CommandAnswer{
                  1, fleet::CommandEnd{std::string(base::to_string(code)), why, {}}}));
}

void CommandRunner::asked(const std::string& payload) {
  fleet::CommandRequest request;
  try {
    request = fleet::parse_command_request(payload);
  } catch (const Error& error) {
    const std::string id = id_of(payload);
    base::log_warning("a command cannot be read", {{"why", error.message()}});
    if (!id.empty()) refuse(id, ErrorCode::invalid_argument, error.message());
    return;
  }
  if (const auto found = commands_.find(request.id); found != commands_.end()) {
    return send_again(found->second);
  }
  if (std::ranges::find(known_, request.id) != known_.end()) return;
  const auto* const free = std::ranges::find(is_busy_, false);
  if (free == is_busy_.end()) {
    return refuse(request.id, ErrorCode::resource_exhausted,
                  std::to_string(kAtOnce) +
                      " commands are under way on this device; try again "
                      "when one is over");
  }
  begin(request, static_cast<std::size_t>(free - is_busy_.begin()));
}

void CommandRunner::begin(const fleet::CommandRequest& request, std::size_t worker) {
  base::log_info("a command of the server",
                 {{"what", describe(request)}, {"askedBy", request.asked_by}, {"id", request.id}});
  known_.push_back(request.id);
  if (known_.size() > kMostKnown) known_.pop_front();
  const Instant now = loop_.now();
  const std::string id = request.id;
  auto shared = std::make_shared<Shared>([this, alive = std::weak_ptr(alive_), id] {
    // By the thread that carries it out; this object waits for it before it goes.
    loop_.post([this, alive, id] {
      const auto still = alive.lock();
      if (still && *still) pump(id);
    });
  });
  Command command{.request = request,
                  .shared = shared,
                  .worker = worker,
                  .end = {},
                  .held = {},
                  .sent = {},
                  .deadline = now + request.deadline,
                  .word = now,
                  .said = now,
                  .moved = now};
  command.request.content.clear();
  commands_.emplace(id, std::move(command));
  is_busy_.at(worker) = true;
  publish(id, to_message(fleet::CommandSign::alive));
  workers_.at(worker)->run(
      [shared, request, work = work_] {
        shared->result = work(request, shared->cancellation, shared->output);
      },
      [this, id](const std::exception_ptr& error) { done(id, error); });
  look_soon();
}

void CommandRunner::done(const std::string& id, const std::exception_ptr& error) {
  const auto found = commands_.find(id);
  if (found == commands_.end()) return;
  Command& command = found->second;
  is_busy_.at(command.worker) = false;
  command.is_done = true;
  command.end = end_of(error, std::move(command.shared->result), loop_.now() >= command.deadline);
  pump(id);
  forget_if_over(id);
}

void CommandRunner::pump(const std::string& id) {
  const auto found = commands_.find(id);
  if (found == commands_.end() || found->second.is_abandoned) return;
  Command& command = found->second;
  const Instant now = loop_.now();
  while (!command.is_over && command.next <= command.until) {
    if (!command.held) command.held = command.shared->output.take();
    if (!command.held) {
      if (!command.is_done) return;
      command.held = command.end;
    }
    fleet::CommandAnswer answer{command.next, *command.held};
    if (!rate_.take(answer.bytes(), kBytesPerSecond, kAtOnceBytes, now)) {
      if (command.retry != 0) return;
      command.retry = loop_.after(kRatePause, [this, alive = alive_, id] {
        if (!*alive) return;
        if (const auto waiting = commands_.find(id); waiting != commands_.end()) {
          waiting->second.retry = 0;
        }
        pump(id);
      });
      return;
    }
    command.held.reset();
    command.is_over = answer.is_end();
    ++command.next;
    command.sent.push_back(std::move(answer));
    publish(id, to_message(command.sent.back()));
    command.said = now;
    command.moved = now;
  }
}

void CommandRunner::send_again(Command& command) {
  if (command.is_abandoned) return;
  const Instant now = loop_.now();
  command.moved = now;
  command.said = now;
  if (command.sent.empty()) publish(command.request.id, to_message(fleet::CommandSign::alive));
  for (const fleet::CommandAnswer& answer : command.sent) {
    publish(command.request.id, to_message(answer));
  }
}

void CommandRunner::granted(const std::string& payload) {
  fleet::CommandGrant grant;
  try {
    grant = fleet::parse_command_grant(payload);
  } catch (const Error&) {
    return;
  }
  const auto found = commands_.find(grant.id);
  if (found == commands_.end()) {
    // Not one that was carried out here since the start.
    if (std::ranges::find(known_, grant.id) == known_.end()) {
      publish(grant.id, to_message(fleet::CommandSign::unknown));
    }
    return;
  }
  Command& command = found->second;
  command.word = loop_.now();
  while (!command.sent.empty() && command.sent.front().sequence <= grant.received) {
    command.sent.pop_front();
    command.moved = command.word;
  }
  command.until =
      std::max(command.until, std::min(grant.until, command.next + 2 * fleet::kCommandWindow));
  pump(grant.id);
  forget_if_over(grant.id);
}

void CommandRunner::cancelled(const std::string& payload) {
  try {
    const auto found = commands_.find(fleet::parse_command_cancel(payload));
    if (found == commands_.end()) return;
    abandon(found->second);
    forget_if_over(std::string(found->first));
  } catch (const Error&) {
    return;
  }
}

void CommandRunner::abandon(Command& command) {
  command.is_abandoned = true;
  command.sent.clear();
  command.shared->cancellation.cancel();
}

void CommandRunner::forget_if_over(const std::string& id) {
  const auto found = commands_.find(id);
  if (found == commands_.end() || !found->second.is_done) return;
  const Command& command = found->second;
  if (command.is_abandoned || (command.is_over && command.sent.empty())) commands_.erase(found);
}

void CommandRunner::look_soon() {
  if (timer_ != 0 || commands_.empty()) return;
  timer_ = loop_.after(kGlance, [this] {
    timer_ = 0;
    look();
    look_soon();
  });
}

void CommandRunner::look() {
  const Instant now = loop_.now();
  std::vector<std::string> over;
  for (auto& [id, command] : commands_) {
    if (now >= command.deadline) command.shared->cancellation.cancel();
    if (now - command.word >= kServersSilence) abandon(command);
    if (command.is_abandoned) {
      over.push_back(id);
      continue;
    }
    if (!command.sent.empty() && now - command.moved >= kSendAgain) send_again(command);
    if (now - command.said >= kSign) {
      command.said = now;
      publish(id, to_message(fleet::CommandSign::alive));
    }
  }
  for (const std::string& id : over) forget_if_over(id);
}

}  // namespace andon::edge
