// SPDX-License-Identifier: Apache-2.0
#include "control/commands/running_commands.hpp"

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::control {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr std::size_t kThinLinkBytesPerMs = 32;

std::string seconds_text(milliseconds span) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(span).count()) + " s";
}

CommandOutcome failure(CommandStatus status, ErrorCode code, std::string message) {
  return {status, std::string(base::to_string(code)), std::move(message), {}};
}

Error unknown_command(const std::string& id) {
  return {ErrorCode::not_found,
          "there is no command " + id.substr(0, 64) +
              " under way: it was over some minutes ago, or the server was started anew"};
}

}  // namespace

// Under the lock: of what was read to its end, the one that ended first goes before its time.
void RunningCommands::make_room() {
  auto first = commands_.end();
  for (auto at = commands_.begin(); at != commands_.end(); ++at) {
    if (!at->second.end_was_told) continue;
    if (first == commands_.end() || at->second.ended_at < first->second.ended_at) first = at;
  }
  if (first != commands_.end()) commands_.erase(first);
}

void RunningCommands::reserve(const std::string& thing, const fleet::CommandRequest& request,
                              Instant now) {
  const std::lock_guard lock(mutex_);
  std::size_t of_thing = 0;
  std::size_t of_all = 0;
  for (const auto& [id, command] : commands_) {
    if (is_over(command.outcome.status)) continue;
    ++of_all;
    if (command.thing == thing) ++of_thing;
  }
  if (of_thing >= limits_.of_thing) {
    throw Error(ErrorCode::resource_exhausted,
                std::to_string(of_thing) + " commands are under way on " + thing +
                    ", and no more are at a time; wait for one, or cancel one");
  }
  if (commands_.size() >= 2 * limits_.of_all) make_room();
  // Those that are over and were not read yet count, too, but at most as many again.
  if (of_all >= limits_.of_all || commands_.size() >= 2 * limits_.of_all) {
    throw Error(ErrorCode::resource_exhausted,
                std::to_string(commands_.size()) +
                    " commands to devices are under way or just over; try again later");
  }
  Running command;
  command.thing = thing;
  command.request = request;
  command.deadline = now + request.deadline;
  command.read_at = now;
  commands_.emplace(request.id, std::move(command));
}

void RunningCommands::begin(const std::string& id, Instant now) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto found = commands_.find(id);
    if (found == commands_.end()) return;
    found->second.has_begun = true;
    ask(found->second, now, effects);
  }
  carry_out(effects);
}

void RunningCommands::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = commands_.find(id);
  if (found != commands_.end() && !found->second.has_begun) commands_.erase(found);
}

void RunningCommands::ask(Running& command, Instant now, Effects& effects) const {
  command.sent = now;
  fleet::CommandRequest request = command.request;
  request.deadline =
      std::max(milliseconds(1), std::chrono::ceil<milliseconds>(command.deadline - now));
  effects.messages.push_back({command.thing, "ask", fleet::to_message(request)});
}

void RunningCommands::grant(const Running& command, Effects& effects) {
  effects.messages.push_back(
      {command.thing, "grant",
       fleet::to_message(fleet::CommandGrant{.id = command.request.id,
                                             .received = command.received,
                                             .until = command.taken + fleet::kCommandWindow})});
}

void RunningCommands::end(Running& command, CommandOutcome outcome, Instant now, Effects& effects) {
  command.outcome = std::move(outcome);
  command.ended_at = now;
  command.request.content.clear();
  ended_.emplace_back(command.request.id, command.outcome);
  serve(command, effects);
}

// Where the device is not to go on.
void RunningCommands::stop(Running& command, CommandOutcome outcome, Instant now,
                           Effects& effects) {
  effects.messages.push_back(
      {command.thing, "cancel", fleet::make_command_cancel(command.request.id)});
  end(command, std::move(outcome), now, effects);
}

void RunningCommands::take(const std::string& thing, const std::string& id,
                           std::string_view payload, Instant now) {
  const bool is_wanted = [&] {
    const std::lock_guard lock(mutex_);
    const auto found = commands_.find(id);
    const bool is_under_way = found != commands_.end() && found->second.thing == thing &&
                              !is_over(found->second.outcome.status);
    if (!is_under_way) ++dropped_;
    return is_under_way;
  }();
  // What nobody waits for is not read; the device hears that it may stop.
  if (!is_wanted) return send_(thing, "cancel", fleet::make_command_cancel(id));
  std::optional<fleet::CommandMessage> message;
  try {
    message = fleet::parse_command_message(payload);
  } catch (const Error&) {
    const std::lock_guard lock(mutex_);
    ++dropped_;
    return;
  }
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto found = commands_.find(id);
    if (found == commands_.end() || is_over(found->second.outcome.status)) return;
    Running& command = found->second;
    if (const auto* answer = std::get_if<fleet::CommandAnswer>(&*message)) {
      take_answer(command, *answer, now, effects);
    } else if (std::get<fleet::CommandSign>(*message) == fleet::CommandSign::alive) {
      command.heard = now;
      command.outcome.status = CommandStatus::running;
      grant(command, effects);
    } else if (command.outcome.status == CommandStatus::running) {
      end(command,
          failure(CommandStatus::failed, ErrorCode::unavailable,
                  "the agent of " + thing + " was started anew in the middle of it"),
          now, effects);
    }
  }
  carry_out(effects);
}

void RunningCommands::take_answer(Running& command, fleet::CommandAnswer answer, Instant now,
                                  Effects& effects) {
  command.heard = now;
  command.outcome.status = CommandStatus::running;
  const bool is_next = answer.sequence == command.received + 1 &&
                       answer.sequence <= command.taken + fleet::kCommandWindow;
  if (!is_next) {
    ++dropped_;
    grant(command, effects);
    return;
  }
  ++command.received;
  command.bytes += answer.bytes();
  grant(command, effects);
  if (const auto* last = std::get_if<fleet::CommandEnd>(&answer.content)) {
    if (last->error.empty()) {
      end(command, {CommandStatus::succeeded, "", "", last->result}, now, effects);
    } else {
      const ErrorCode code = fleet::error_code_of(last->error);
      const CommandStatus status = code == ErrorCode::cancelled           ? CommandStatus::canceled
                                   : code == ErrorCode::deadline_exceeded ? CommandStatus::timed_out
                                                                          : CommandStatus::failed;
      end(command, {status, std::string(base::to_string(code)), last->message, last->result}, now,
          effects);
    }
    return;
  }
  command.answers.push_back(std::move(answer));
  if (command.bytes > fleet::kMostCommandBytes) {
    stop(command,
         failure(CommandStatus::failed, ErrorCode::resource_exhausted,
                 "it has answered " + std::to_string(command.bytes >> 20U) +
                     " MiB, and more is not passed on; ask anew for the rest"),
         now, effects);
    return;
  }
  serve(command, effects);
}

CommandPage RunningCommands::page_of(Running& command) {
  CommandPage page{.outcome = command.outcome,
                   .answers = {command.answers.begin(), command.answers.end()},
                   .after = command.taken};
  if (!page.answers.empty()) page.after = page.answers.back().sequence;
  page.has_come_to_end = is_over(command.outcome.status);
  command.end_was_told = page.has_come_to_end;
  return page;
}

void RunningCommands::serve(Running& command, Effects& effects) {
  if (command.answers.empty() && !is_over(command.outcome.status)) return;
  for (Reader& reader : command.readers) {
    effects.pages.emplace_back(std::move(reader.done), page_of(command));
  }
  command.readers.clear();
}

void RunningCommands::read(const std::string& id, std::uint64_t after, milliseconds wait, Read done,
                           Instant now) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto found = commands_.find(id);
    if (found == commands_.end()) throw unknown_command(id);
    Running& command = found->second;
    if (after < command.taken) {
      throw Error(ErrorCode::failed_precondition, "after: the answers up to " +
                                                      std::to_string(command.taken) +
                                                      " have been read; read on from there");
    }
    if (after > command.received) {
      throw Error(ErrorCode::invalid_argument,
                  "after: no answer " + std::to_string(after) + " has come yet");
    }
    command.read_at = now;
    command.left_at.reset();
    if (after > command.taken) {
      command.taken = after;
      while (!command.answers.empty() && command.answers.front().sequence <= after) {
        command.answers.pop_front();
      }
      if (!is_over(command.outcome.status)) grant(command, effects);
    }
    const bool has_something = !command.answers.empty() || is_over(command.outcome.status);
    if (has_something || wait <= milliseconds(0)) {
      effects.pages.emplace_back(std::move(done), page_of(command));
    } else {
      if (command.readers.size() >= limits_.readers) {
        effects.pages.emplace_back(std::move(command.readers.front().done), page_of(command));
        command.readers.erase(command.readers.begin());
      }
      command.readers.push_back({now + wait, std::move(done)});
    }
  }
  carry_out(effects);
}

void RunningCommands::reader_gone(const std::string& id, Instant now) {
  std::vector<Reader> gone;  // what they hold is not to go under the lock
  const std::lock_guard lock(mutex_);
  const auto found = commands_.find(id);
  if (found == commands_.end()) return;
  gone = std::exchange(found->second.readers, {});
  found->second.left_at = now;
}

bool RunningCommands::cancel(const std::string& id, const std::string& why, Instant now) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    const auto found = commands_.find(id);
    if (found == commands_.end() || is_over(found->second.outcome.status)) return false;
    stop(found->second, failure(CommandStatus::canceled, ErrorCode::cancelled, why), now, effects);
  }
  carry_out(effects);
  return true;
}

void RunningCommands::look_at(Running& command, Instant now, Effects& effects) {
  std::erase_if(command.readers, [&](Reader& reader) {
    if (now < reader.until) return false;
    effects.pages.emplace_back(std::move(reader.done), page_of(command));
    return true;
  });
  if (!command.readers.empty()) command.read_at = now;
  const bool is_waiting = command.outcome.status == CommandStatus::waiting;
  const std::string& thing = command.thing;
  if (now >= command.deadline) {
    const std::string time = seconds_text(command.request.deadline);
    return stop(
        command,
        failure(CommandStatus::timed_out, ErrorCode::deadline_exceeded,
                is_waiting ? thing + " did not answer within " + time +
                                 ": it is off, its agent does not run or is too old to take "
                                 "commands, or it cannot reach the server"
                           : "it was not done within " + time),
        now, effects);
  }
  const bool has_left = command.left_at && now - *command.left_at >= limits_.left;
  if (has_left || now - command.read_at >= limits_.unread) {
    return stop(
        command,
        failure(CommandStatus::canceled, ErrorCode::cancelled,
                has_left ? "who read its answers has gone"
                         : "nobody has read its answers for " + seconds_text(limits_.unread)),
        now, effects);
  }
  if (is_waiting) {
    // What is large needs its time on a thin link.
    const milliseconds on_its_way(command.request.content.size() / kThinLinkBytesPerMs);
    if (now - command.sent >= limits_.ask_again + on_its_way) ask(command, now, effects);
    return;
  }
  if (now - command.heard >= limits_.silence) {
    return stop(command,
                failure(CommandStatus::failed, ErrorCode::unavailable,
                        thing + " has said nothing for " + seconds_text(limits_.silence) +
                            " in the middle of it: its agent has ended, or it cannot reach the "
                            "server any more"),
                now, effects);
  }
  const bool is_quiet = now - command.heard >= limits_.look_after;
  if (is_quiet && now - command.looked_after >= limits_.ask_again) {
    command.looked_after = now;
    grant(command, effects);
  }
}

void RunningCommands::tick(Instant now) {
  Effects effects;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = commands_.begin(); at != commands_.end();) {
      Running& command = at->second;
      if (!is_over(command.outcome.status)) {
        if (command.has_begun) look_at(command, now, effects);
        ++at;
      } else if (now - command.ended_at >= limits_.kept) {
        at = commands_.erase(at);
      } else {
        ++at;
      }
    }
  }
  carry_out(effects);
}

void RunningCommands::carry_out(Effects& effects) const {
  for (const Effects::Message& message : effects.messages) {
    send_(message.thing, message.word, message.payload);
  }
  for (const auto& [done, page] : effects.pages) done(page);
}

std::optional<CommandOutcome> RunningCommands::outcome(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = commands_.find(id);
  if (found == commands_.end()) return std::nullopt;
  return found->second.outcome;
}

std::vector<std::pair<std::string, CommandOutcome>> RunningCommands::ended() const {
  const std::lock_guard lock(mutex_);
  return ended_;
}

void RunningCommands::settle(const std::string& id) {
  const std::lock_guard lock(mutex_);
  std::erase_if(ended_, [&](const auto& one) { return one.first == id; });
}

RunningCommands::Counts RunningCommands::counts() const {
  const std::lock_guard lock(mutex_);
  const auto running = std::ranges::count_if(
      commands_, [](const auto& one) { return !is_over(one.second.outcome.status); });
  return {static_cast<std::size_t>(running), dropped_};
}

}  // namespace andon::control
