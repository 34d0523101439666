// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/instance.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/descriptors.hpp"
#include "base/text/number.hpp"
#include "functions/sandboxes/runtime_request.hpp"
#include "job/keeper/served.hpp"

namespace andon::functions {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kInitLimit{10};              // beside the function's own time
constexpr seconds kSpare{60};                  // that keys must be good for beyond a call
constexpr std::size_t kMostSent = 16U << 20U;  // of an answer, to tell that it is too large
constexpr std::uint64_t kMib = 1U << 20U;

wire::LocalHttpLimits limits() {
  wire::LocalHttpLimits limits;
  limits.size = {.head_bytes = 16'384, .body_bytes = kMostSent};
  limits.connections = {.all = 16, .of_user = 16, .guests = 16, .guests_of_user = 16};
  limits.deadline = milliseconds(30'000);
  limits.answer_deadline = std::chrono::hours(24 * 365);  // the next call comes when it comes
  return limits;
}

wire::LocalHttpAnswer accepted() {
  return {.status = 202, .content_type = "application/json", .body = R"({"status":"OK"})"};
}

wire::LocalHttpAnswer refused(int status, const std::string& type, const std::string& message) {
  return {
      .status = status, .content_type = "application/json", .body = error_payload(type, message)};
}

}  // namespace

Instance::Instance(std::uint64_t id, SandboxPlan plan, std::string stream,
                   std::optional<uid_t> user, Site site, Call call)
    : id_(id),
      plan_(std::move(plan)),
      stream_(std::move(stream)),
      user_(user),
      site_(std::move(site)),
      lines_([this](std::string line) {
        site_.write_line(plan_.log_group, stream_, site_.clock.now(), std::move(line));
      }),
      call_(std::move(call)),
      begun_(steady_clock::now()) {
  deadline_ = begun_ + kInitLimit + plan_.timeout;
}

void Instance::started(StartedSandbox sandbox) {
  is_start_known_ = true;
  keeper_.emplace(std::move(sandbox.keeper));
  site_.watch(Source::keeper, keeper_->exit_fd());
  if (phase_ == Phase::ending) return;  // its control closes here
  control_ = std::move(sandbox.control);
  output_ = std::move(sandbox.output);
  good_until_ = sandbox.good_until;
  phase_ = Phase::initialising;
  site_.watch(Source::control, control_.get());
  site_.watch(Source::output, output_.get());
}

void Instance::not_started(const std::string& why) {
  is_start_known_ = true;
  finish(CallEnd::Kind::refused, {}, why);
  phase_ = Phase::ending;
}

void Instance::handle(Source source) {
  if (source == Source::keeper) {
    if (keeper_) (void)keeper_->poll();
    if (phase_ != Phase::ending) {
      // Killed from outside: what it said last is in the control.
      hear_keeper();
      end();
    }
    return;
  }
  if (phase_ == Phase::ending) return;
  if (source == Source::control) hear_keeper();
  if (source == Source::output) read_output();
  if (source == Source::requests && requests_) requests_->turn();
}

void Instance::hear_keeper() {
  while (control_ && phase_ != Phase::ending) {
    base::Received received = base::receive_descriptors(control_.get(), job::kMostServedMessage);
    if (received.has_closed) {
      fail_after({.end = job::JobEnd::signalled, .code = SIGKILL});
      return end();
    }
    if (received.bytes.empty()) return;
    if (received.bytes[0] == job::kStarted && received.descriptors.size() == 1) {
      requests_ = std::make_unique<wire::LocalHttpServer>(
          std::move(received.descriptors[0]),
          [this](const wire::LocalHttpRequest& request, wire::LocalHttpServer::Reply reply) {
            answer(request, reply);
          },
          limits());
      site_.watch(Source::requests, requests_->fd());
    } else if (received.bytes[0] == job::kMemory) {
      memory_ = base::parse_uint64(std::string_view(received.bytes).substr(1)).value_or(memory_);
    } else {
      job::JobResult result{.end = job::JobEnd::signalled, .code = SIGKILL};
      try {
        result = job::parse_result(received.bytes);
      } catch (const base::Error&) {
        // A keeper that cannot be understood is as good as gone.
      }
      read_output();
      fail_after(result);
      return end();
    }
  }
}

void Instance::read_output() {
  // So much a turn, so that one that never stops is not the only one.
  constexpr int kReads = 8;
  std::array<char, 16'384> buffer;
  for (int i = 0; i < kReads && output_; ++i) {
    const ssize_t got = read(output_.get(), buffer.data(), buffer.size());
    if (got > 0) {
      lines_.add({buffer.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (got == 0) output_.reset();
    return;
  }
}

void Instance::answer(const wire::LocalHttpRequest& request,
                      const wire::LocalHttpServer::Reply& reply) {
  using Kind = RuntimeRequest::Kind;
  const RuntimeRequest asked = read_runtime_request(request);
  const bool is_of_call = call_ && is_delivered_ && asked.id == call_->id;
  switch (asked.kind) {
    case Kind::next:
      if (is_delivered_) {
        return reply(refused(403, "InvalidStateTransition", "the call before is not answered yet"));
      }
      if (phase_ == Phase::initialising) {
        phase_ = Phase::serving;
        was_initialised_ = true;
        init_took_ = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begun_);
        deadline_.reset();
      }
      idle_since_ = steady_clock::now();
      next_ = reply;
      if (call_) return deliver();
      return tell_keeper(job::kIdle);
    case Kind::response:
      if (!is_of_call) return reply(refused(400, "InvalidRequestID", "Invalid request ID"));
      if (request.body.size() > kMostPayload) {
        const std::string message =
            "Response payload size exceeded maximum allowed payload size (" +
            std::to_string(kMostPayload) + " bytes).";
        reply({.status = 413, .content_type = "text/plain", .body = message});
        return finish(CallEnd::Kind::failed,
                      error_payload("Function.ResponseSizeTooLarge", message));
      }
      reply(accepted());
      return finish(CallEnd::Kind::answered, request.body);
    case Kind::error:
      if (!is_of_call) return reply(refused(400, "InvalidRequestID", "Invalid request ID"));
      reply(accepted());
      return finish(CallEnd::Kind::failed, error_payload(request));
    case Kind::init_error:
      reply(accepted());
      if (phase_ == Phase::initialising) finish(CallEnd::Kind::failed, error_payload(request));
      return;
    case Kind::unknown:
      break;
  }
  reply(refused(404, "NotFound", "there is nothing at " + request.path.substr(0, 100)));
}

void Instance::deliver() {
  is_delivered_ = true;
  delivered_ = steady_clock::now();
  deadline_ = delivered_ + plan_.timeout;
  const auto until = base::to_epoch_millis(site_.clock.now() + plan_.timeout);
  wire::LocalHttpAnswer event{
      .status = 200, .content_type = "application/json", .body = std::exchange(call_->payload, {})};
  event.headers = {{"Lambda-Runtime-Aws-Request-Id", call_->id},
                   {"Lambda-Runtime-Deadline-Ms", std::to_string(until)},
                   {"Lambda-Runtime-Invoked-Function-Arn", call_->arn},
                   {"Lambda-Runtime-Trace-Id", "Root=1-" + call_->id.substr(0, 8) + "-" +
                                                   std::string(24, '0') + ";Sampled=0"}};
  if (!call_->client_context.empty()) {
    event.headers["Lambda-Runtime-Client-Context"] = call_->client_context;
  }
  lines_.add_line("START RequestId: " + call_->id + " Version: " + plan_.version);
  tell_keeper(job::kBusy);
  std::exchange(next_, nullptr)(event);
}

void Instance::finish(CallEnd::Kind kind, std::string payload, const std::string& text) {
  if (!call_) return;
  read_output();
  lines_.end_line();
  if (is_delivered_) {
    const std::chrono::duration<double, std::milli> took = steady_clock::now() - delivered_;
    lines_.add_line("END RequestId: " + call_->id);
    std::string report = fmt::format(
        "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {:.0f} ms\tMemory Size: {} "
        "MB\tMax Memory Used: {} MB\t",
        call_->id, took.count(), std::ceil(took.count()), plan_.memory_mib,
        (memory_ + kMib - 1) / kMib);
    if (init_took_) report += fmt::format("Init Duration: {}.00 ms\t", init_took_->count());
    init_took_.reset();
    lines_.add_line(report);
  }
  CallEnd end{.kind = kind, .payload = std::move(payload), .text = text, .log_tail = lines_.tail()};
  const auto done = std::move(call_->done);
  call_.reset();
  is_delivered_ = false;
  deadline_.reset();
  idle_since_ = steady_clock::now();
  lines_.begin_tail();
  done(std::move(end));
}

void Instance::fail(const std::string& type, const std::string& message) {
  if (!call_) return;
  const std::string text = "RequestId: " + call_->id + " Error: " + message;
  lines_.add_line(text);
  finish(CallEnd::Kind::failed, error_payload(type, text));
}

void Instance::fail_after(const job::JobResult& result) {
  using job::JobEnd;
  if (!call_) return;
  // Another one may take what this one, gone while it was idle, has never seen.
  if (was_initialised_ && !is_delivered_) return;
  switch (result.end) {
    case JobEnd::exited:
      return fail("Runtime.ExitError",
                  result.code == 0
                      ? "Runtime exited without providing a reason"
                      : "Runtime exited with error: exit status " + std::to_string(result.code));
    case JobEnd::memory_exceeded:
      lines_.add_line("Memory exceeded: " + result.message);
      return fail("Runtime.ExitError", "Runtime exited with error: signal: killed");
    case JobEnd::disk_exceeded:
      return fail("Runtime.ExitError", "Runtime exited with error: " + result.message);
    case JobEnd::not_started:
      return fail("Runtime.InvalidEntrypoint", result.message);
    case JobEnd::refused:
      return finish(CallEnd::Kind::refused, {}, result.message);
    case JobEnd::signalled:
    case JobEnd::timed_out:
    case JobEnd::silent:
    case JobEnd::stopped:
      break;
  }
  fail("Runtime.ExitError",
       result.code == SIGKILL || result.code == 0
           ? "Runtime exited with error: signal: killed"
           : "Runtime exited with error: signal: " + std::to_string(result.code));
}

std::optional<Instance::Instant> Instance::look_at_time(Instant now) {
  if (deadline_ && now >= *deadline_ && call_) {
    fail("Sandbox.Timedout", fmt::format("Task timed out after {:.2f} seconds",
                                         std::chrono::duration<double>(plan_.timeout).count()));
    end();
  }
  return deadline_;
}

bool Instance::is_idle() const {
  return phase_ == Phase::serving && !call_;
}

bool Instance::is_good_for_a_call() const {
  return site_.clock.now() + plan_.timeout + kSpare < good_until_;
}

void Instance::give(Call call) {
  call_ = std::move(call);
  if (next_) return deliver();
  // It has just answered the call before.
  deadline_ = steady_clock::now() + kInitLimit + plan_.timeout;
}

std::optional<Call> Instance::take_untouched_call() {
  if (phase_ != Phase::ending || !call_ || is_delivered_) return std::nullopt;
  return std::exchange(call_, std::nullopt);
}

void Instance::end() {
  if (phase_ == Phase::ending) return;
  read_output();
  lines_.end_line();
  phase_ = Phase::ending;
  next_ = nullptr;
  deadline_.reset();
  control_.reset();
  output_.reset();
  requests_.reset();
}

bool Instance::is_gone() {
  return phase_ == Phase::ending && is_start_known_ && (!keeper_ || keeper_->poll());
}

void Instance::tell_keeper(char word) const {
  if (control_) {
    // Full or closed: it looks by itself, too.
    [[maybe_unused]] const ssize_t written = write(control_.get(), &word, 1);
  }
}

}  // namespace andon::functions
