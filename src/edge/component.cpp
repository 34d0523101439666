// SPDX-License-Identifier: Apache-2.0
#include "edge/component.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/log.hpp"
#include "edge/run_as.hpp"

namespace andon::edge {
namespace {

using recipe::Step;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kErrorsToBreak = 3;
constexpr std::array<milliseconds, 2> kBackoff{milliseconds{200}, milliseconds{1000}};
// A component that was up for so long starts with a clean sheet.
constexpr std::chrono::minutes kForgiveErrorsAfter{1};
constexpr milliseconds kStopGrace{5000};
constexpr int kBootstrapRestartAgent = 100;
constexpr int kBootstrapRestartDevice = 101;

constexpr std::array<std::string_view, 8> kStateNames{
    "NEW", "INSTALLED", "STARTING", "RUNNING", "STOPPING", "ERRORED", "BROKEN", "FINISHED"};

bool is_on_path(const std::string& program) {
  const char* path = getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + '/' + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// "onpath <program>" or "exists <file>".
bool should_skip(const std::string& condition) {
  const std::size_t blank = condition.find(' ');
  if (blank == std::string::npos) return false;
  const std::string kind = condition.substr(0, blank);
  const std::size_t begin = condition.find_first_not_of(' ', blank);
  if (begin == std::string::npos) return false;
  const std::string what = condition.substr(begin);
  if (kind == "onpath") return is_on_path(what);
  return kind == "exists" && access(what.c_str(), F_OK) == 0;
}

}  // namespace

std::string_view to_string(ComponentState state) {
  return kStateNames.at(static_cast<std::size_t>(state));
}

Component::Component(EventLoop& loop, ProcessJournal& journal, ComponentHost& host,
                     ComponentSpec spec, std::function<void(Component&)> on_change)
    : loop_(loop),
      journal_(journal),
      host_(host),
      spec_(std::move(spec)),
      on_change_(std::move(on_change)),
      log_(host.log_file(spec_)) {}

Component::~Component() {
  loop_.cancel(timer_);
}

void Component::set_state(ComponentState state) {
  if (state_ == state) return;
  state_ = state;
  base::log_info(
      "component changed state",
      {{"component", spec_.name}, {"version", spec_.version}, {"state", to_string(state)}});
  on_change_(*this);
}

void Component::start() {
  if (goal_ == Goal::up) return;
  goal_ = Goal::up;
  errors_ = 0;
  begin_install();
}

void Component::allow_start() {
  if (may_start_) return;
  may_start_ = true;
  if (goal_ == Goal::up && step_ == Activity::none && state_ == ComponentState::installed) {
    begin_service();
  }
}

void Component::begin_install() {
  step_ = Activity::none;
  if (host_.is_installed(spec_)) return after_install();
  if (launch(Step::bootstrap, Activity::bootstrap, helper_) != Launch::nothing) return;
  install();
}

void Component::install() {
  if (launch(Step::install, Activity::install, helper_) != Launch::nothing) return;
  note_installed();
}

void Component::note_installed() {
  try {
    host_.note_installed(spec_);
  } catch (const base::Error& error) {
    return fail("INSTALL_IO_ERROR",
                "what was installed cannot be written down: " + error.message());
  }
  after_install();
}

void Component::after_install() {
  step_ = Activity::none;
  set_state(ComponentState::installed);
  if (may_start_) begin_service();
}

void Component::begin_service() {
  settled_ = false;
  set_state(ComponentState::starting);
  service_is_startup_ = true;
  if (launch(Step::startup, Activity::startup, process_) != Launch::nothing) return;
  service_is_startup_ = false;
  begin_run();
}

void Component::begin_run() {
  up_since_ = steady_clock::now();
  switch (launch(Step::run, Activity::run, process_)) {
    case Launch::started:
      settle_later();
      return set_state(ComponentState::running);
    case Launch::nothing:
      settled_ = true;
      return set_state(ComponentState::finished);
    case Launch::failed:
      return;
  }
}

void Component::settle_later() {
  loop_.cancel(timer_);
  timer_ = loop_.after(kSettleTime, [this] {
    timer_ = 0;
    settled_ = true;
    on_change_(*this);
  });
}

Component::Launch Component::launch(Step step, Activity activity,
                                    std::unique_ptr<ComponentProcess>& slot) {
  const std::string step_name(recipe::to_string(step));
  try {
    const recipe::Lifecycle lifecycle = host_.interpolated(spec_);
    const recipe::LifecycleStep* wanted = lifecycle.find(step);
    if (wanted == nullptr || wanted->script.empty() || should_skip(wanted->skip_if)) {
      return Launch::nothing;
    }

    ProcessOrder order;
    order.component = spec_.name;
    order.script = wanted->script;
    order.environment = host_.environment(spec_);
    for (const auto& [name, value] : lifecycle.setenv) order.environment[name] = value;
    for (const auto& [name, value] : wanted->setenv) order.environment[name] = value;
    order.working_directory = host_.working_directory(spec_);
    order.timeout = recipe::step_timeout(*wanted, step);
    if (!wanted->requires_privilege) {
      const RunAs user = resolve_run_as(spec_.run_as);
      order.user = user.user;
      order.group = user.group;
    }
    log_.forget_tail();
    slot = std::make_unique<ComponentProcess>(
        loop_, journal_, log_, order,
        [this, activity](const ProcessEnd& end) { on_step_end(activity, end); });
    step_ = activity;
    return Launch::started;
  } catch (const base::Error& error) {
    if (activity == Activity::shutdown || activity == Activity::recover ||
        activity == Activity::uninstall) {
      base::log_warning("a step could not be started",
                        {{"component", spec_.name}, {"step", step_name}, {"why", error.message()}});
      return Launch::nothing;
    }
    std::string code = activity == Activity::startup ? "STARTUP"
                       : activity == Activity::run   ? "RUN"
                                                     : "INSTALL";
    code += error.code() == base::ErrorCode::invalid_argument ? "_CONFIG_NOT_VALID" : "_ERROR";
    fail(code, "step " + step_name + " could not be started: " + error.message());
    return Launch::failed;
  }
}

void Component::on_step_end(Activity activity, const ProcessEnd& end) {
  switch (activity) {
    case Activity::bootstrap: {
      helper_.reset();
      step_ = Activity::none;
      if (goal_ == Goal::down) return finish_stop();
      const int code = end.status.code;
      const bool asks_restart = end.status.signal == 0 &&
                                (code == kBootstrapRestartAgent || code == kBootstrapRestartDevice);
      if (asks_restart) {
        base::log_warning("bootstrap asked for a restart, which is left to the operator",
                          {{"component", spec_.name}, {"exit_code", code}});
      } else if (!end.status.ok() || end.timed_out) {
        return fail(end.timed_out ? "INSTALL_TIMEOUT" : "INSTALL_ERROR",
                    describe("bootstrap", end));
      }
      return install();
    }
    case Activity::install:
      helper_.reset();
      step_ = Activity::none;
      if (goal_ == Goal::down) return finish_stop();
      if (!end.status.ok() || end.timed_out) {
        return fail(end.timed_out ? "INSTALL_TIMEOUT" : "INSTALL_ERROR", describe("install", end));
      }
      return note_installed();
    case Activity::startup:
    case Activity::run:
      return on_service_end(activity, end);
    case Activity::shutdown:
      helper_.reset();
      return signal_service();
    case Activity::recover:
      helper_.reset();
      step_ = Activity::none;
      if (goal_ == Goal::down) return finish_stop();
      return retry();
    case Activity::uninstall: {
      helper_.reset();
      step_ = Activity::none;
      const auto done = std::exchange(on_uninstalled_, {});
      if (done) done();
      return;
    }
    case Activity::none:
    case Activity::backoff:
      return;
  }
}

void Component::on_service_end(Activity activity, const ProcessEnd& end) {
  if (goal_ == Goal::down) {
    // While the shutdown step runs the service may end by itself: its end is awaited there.
    if (step_ == Activity::shutdown) return;
    return finish_stop();
  }
  loop_.cancel(std::exchange(timer_, 0));
  const bool good = end.status.ok() && !end.timed_out && !end.was_asked;
  if (activity == Activity::startup && good) {
    // The process object stays: it holds the group in which the service now runs.
    step_ = Activity::none;
    up_since_ = steady_clock::now();
    settled_ = true;
    return set_state(ComponentState::running);
  }
  process_.reset();
  step_ = Activity::none;
  if (good) {
    settled_ = true;
    return set_state(ComponentState::finished);
  }
  const bool startup = activity == Activity::startup;
  fail(std::string(startup ? "STARTUP" : "RUN") + (end.timed_out ? "_TIMEOUT" : "_ERROR"),
       describe(startup ? "startup" : "run", end));
}

void Component::report_running() {
  if (goal_ != Goal::up) return;
  if (state_ != ComponentState::starting && state_ != ComponentState::running) return;
  loop_.cancel(std::exchange(timer_, 0));
  const bool was_settled = std::exchange(settled_, true);
  if (state_ == ComponentState::running) {
    if (!was_settled) on_change_(*this);
    return;
  }
  up_since_ = steady_clock::now();
  set_state(ComponentState::running);
}

void Component::report_error() {
  if (goal_ != Goal::up || !process_) return;
  if (step_ == Activity::startup || step_ == Activity::run) {
    process_->terminate(kStopGrace);  // on_service_end goes on from there
    return;
  }
  process_.reset();
  fail("RUN_ERROR", "the component said ERRORED");
}

void Component::fail(std::string_view code, std::string why) {
  const auto up_since = std::exchange(up_since_, std::nullopt);
  if (up_since && steady_clock::now() - *up_since > kForgiveErrorsAfter) errors_ = 0;
  ++errors_;
  reason_ = std::move(why);
  status_code_ = code;
  settled_ = false;
  base::log_warning("component failed", {{"component", spec_.name},
                                         {"version", spec_.version},
                                         {"error", errors_},
                                         {"reason", reason_}});
  step_ = Activity::none;
  if (errors_ >= kErrorsToBreak) return set_state(ComponentState::broken);
  set_state(ComponentState::errored);
  if (launch(Step::recover, Activity::recover, helper_) == Launch::nothing) retry();
}

void Component::retry() {
  step_ = Activity::backoff;
  const auto index = static_cast<std::size_t>(std::clamp(errors_ - 1, 0, 1));
  loop_.cancel(timer_);
  timer_ = loop_.after(kBackoff.at(index), [this] {
    timer_ = 0;
    begin_install();
  });
}

void Component::stop() {
  if (goal_ == Goal::down) return;
  goal_ = Goal::down;
  may_start_ = false;
  loop_.cancel(std::exchange(timer_, 0));
  begin_stop();
}

void Component::begin_stop() {
  if (helper_) return helper_->terminate(kStopGrace);  // install, bootstrap or recover
  if (!process_) return finish_stop();
  const bool was_up = is_up();
  set_state(ComponentState::stopping);
  if (was_up && launch(Step::shutdown, Activity::shutdown, helper_) == Launch::started) return;
  signal_service();
}

void Component::signal_service() {
  // A startup whose first process has ended, or a service that ended during the shutdown step,
  // has nobody left to wait for: what remains of the group is killed with the object.
  const bool leader_alive = process_ && process_->alive();
  if (!leader_alive) return finish_stop();
  step_ = service_is_startup_ ? Activity::startup : Activity::run;
  process_->terminate(kStopGrace);
}

void Component::finish_stop() {
  process_.reset();
  helper_.reset();
  step_ = Activity::none;
  settled_ = false;
  if (state_ == ComponentState::stopping || state_ == ComponentState::finished) {
    state_ = ComponentState::installed;
  }
  on_change_(*this);
}

void Component::uninstall(std::function<void()> done) {
  on_uninstalled_ = std::move(done);
  if (launch(Step::uninstall, Activity::uninstall, helper_) == Launch::started) return;
  const auto finished = std::exchange(on_uninstalled_, {});
  if (finished) finished();
}

std::string Component::describe(std::string_view step, const ProcessEnd& end) const {
  std::string text = "step " + std::string(step);
  text += end.timed_out ? " ran out of time" : " ended with " + base::to_string(end.status);
  std::string tail = log_.tail();
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' ')) tail.pop_back();
  const std::size_t line = tail.rfind('\n');
  if (line != std::string::npos) tail.erase(0, line + 1);
  if (!tail.empty()) text += "; its last line of output: " + tail;
  return text;
}

}  // namespace andon::edge
