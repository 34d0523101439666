// SPDX-License-Identifier: Apache-2.0
#include "edge/run/component.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "edge/process/run_as.hpp"
#include "edge/run/component_note.hpp"

namespace andon::edge {
namespace {

using recipe::Step;
using std::chrono::milliseconds;

constexpr int kErrorsToBreak = 3;
constexpr std::array<milliseconds, 2> kBackoff{milliseconds{200}, milliseconds{1000}};
// A component that was up for so long starts with a clean sheet.
constexpr std::chrono::minutes kForgiveErrorsAfter{1};
constexpr milliseconds kStopGrace{5000};
constexpr int kBootstrapRestartAgent = 100;
constexpr int kBootstrapRestartDevice = 101;

bool is_on_path(const std::string& program, const std::string& path) {
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + '/' + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// "onpath <program>" or "exists <file>".
bool should_skip(const std::string& condition, const std::string& path) {
  const std::size_t blank = condition.find(' ');
  if (blank == std::string::npos) return false;
  const std::string kind = condition.substr(0, blank);
  const std::size_t begin = condition.find_first_not_of(' ', blank);
  if (begin == std::string::npos) return false;
  const std::string what = condition.substr(begin);
  if (kind == "onpath") return is_on_path(what, path);
  return kind == "exists" && access(what.c_str(), F_OK) == 0;
}

}  // namespace

Component::Component(EventLoop& loop, ProcessJournal& journal, ComponentHost& host,
                     ComponentSpec spec, std::function<void(Component&)> on_change)
    : loop_(loop),
      journal_(journal),
      host_(host),
      spec_(std::move(spec)),
      on_change_(std::move(on_change)),
      log_(host.log_file(spec_), host.log_rotation()) {}

Component::~Component() {
  loop_.cancel(timer_);
}

void Component::set_state(ComponentState state) {
  if (state_ == state) return;
  paused_ = false;
  state_ = state;
  base::log_info(
      "component changed state",
      {{"component", spec_.name}, {"version", spec_.version}, {"state", to_string(state)}});
  on_change_(*this);
}

void Component::start() {
  if (goal_ == Goal::up) return;
  goal_ = Goal::up;
  reason_.clear();
  status_code_.clear();
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
  failed_in_bootstrap_ = false;
  if (!host_.has_artifacts(spec_)) {
    step_ = Activity::artifacts;
    return;
  }
  if (host_.is_installed(spec_)) return after_install();
  const bool is_due = !host_.is_bootstrapped(spec_);
  if (is_due && launch(Step::bootstrap, Activity::bootstrap) != Launch::nothing) return;
  install();
}

void Component::artifacts_ready() {
  if (goal_ == Goal::up && step_ == Activity::artifacts) begin_install();
}

void Component::artifacts_lost(std::string why) {
  if (goal_ != Goal::up || step_ != Activity::artifacts) return;
  reason_ = std::move(why);
  status_code_ = to_string(NoteCode::artifact_changed);
  settled_ = false;
  set_state(ComponentState::errored);
}

void Component::install() {
  if (launch(Step::install, Activity::install) != Launch::nothing) return;
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
  if (launch(Step::startup, Activity::startup) != Launch::nothing) return;
  service_is_startup_ = false;
  begin_run();
}

void Component::begin_run() {
  up_since_ = loop_.now();
  switch (launch(Step::run, Activity::run)) {
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

Component::Launch Component::launch(Step step, Activity activity) {
  const std::string step_name(recipe::to_string(step));
  try {
    const recipe::Lifecycle lifecycle = host_.interpolated(spec_);
    const recipe::LifecycleStep* wanted = lifecycle.find(step);
    if (wanted == nullptr || wanted->script.empty()) return Launch::nothing;

    ProcessOrder order;
    order.component = spec_.name;
    order.script = wanted->script;
    if (!wanted->requires_privilege) order.run_as = resolve_run_as(spec_.run_as);
    order.environment = host_.environment(spec_, order.run_as);
    for (const auto& [name, value] : lifecycle.setenv) order.environment[name] = value;
    for (const auto& [name, value] : wanted->setenv) order.environment[name] = value;
    if (should_skip(wanted->skip_if, order.environment["PATH"])) return Launch::nothing;
    order.working_directory = host_.working_directory(spec_);
    order.timeout = recipe::step_timeout(*wanted, step);
    order.limits = spec_.limits;
    if (activity == Activity::startup || activity == Activity::run) {
      order.sandbox = host_.sandbox(spec_, is_privileged(order.run_as));
    }
    log_.forget_tail();
    start_process(activity, order);
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

void Component::start_process(Activity activity, const ProcessOrder& order) {
  auto on_end = [this, activity](const ProcessEnd& end) { on_step_end(activity, end); };
  if (activity != Activity::startup && activity != Activity::run) {
    helper_ = std::make_unique<ComponentProcess>(loop_, journal_, log_, order, std::move(on_end));
    return;
  }
  KeptRecord record;
  record.version = spec_.version;
  record.identity = spec_.identity;
  record.step = activity == Activity::startup ? ServiceStep::startup : ServiceStep::run;
  const auto token = order.environment.find("SVCUID");
  if (token != order.environment.end()) record.token = token->second;
  record.errors = errors_;
  process_ = std::make_unique<KeptProcess>(loop_, journal_, log_, order, std::move(record),
                                           std::move(on_end));
}

void Component::take_up(KeptRecord record) {
  goal_ = Goal::up;
  may_start_ = true;
  errors_ = record.errors;
  service_is_startup_ = record.step == ServiceStep::startup;
  step_ = service_is_startup_ ? Activity::startup : Activity::run;
  const LoopClock::Instant started = record.started;
  const bool said_running = record.said_running;
  process_ = std::make_unique<KeptProcess>(
      loop_, journal_, std::move(record),
      [this, activity = step_](const ProcessEnd& end) { on_step_end(activity, end); });
  base::log_info("component taken up as an earlier agent has left it",
                 {{"component", spec_.name}, {"version", spec_.version}, {"pid", pid()}});
  if (const auto ended = process_->ended_at()) {
    // It is told of in a moment. Only what it was up for counts, not how long nobody looked.
    if (*ended - started > kForgiveErrorsAfter) up_since_ = started;
    return set_state(ComponentState::starting);
  }
  up_since_ = started;
  if (service_is_startup_ && !said_running) return set_state(ComponentState::starting);
  settled_ = said_running || loop_.now() - started >= kSettleTime;
  if (!settled_) settle_later();
  set_state(ComponentState::running);
  paused_ = process_->stands_still();
}

void Component::leave() {
  loop_.cancel(std::exchange(timer_, 0));
  if (process_ && goal_ == Goal::up) process_->leave();
}

void Component::note_client(bool has_client) {
  if (process_) process_->note_client(has_client);
}

void Component::on_step_end(Activity activity, const ProcessEnd& end) {
  switch (activity) {
    case Activity::bootstrap:
      return on_bootstrap_end(end);
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
      note_last_words(Step::shutdown, end);
      return signal_service();
    case Activity::recover:
      helper_.reset();
      step_ = Activity::none;
      if (goal_ == Goal::down) return finish_stop();
      return retry();
    case Activity::uninstall: {
      helper_.reset();
      note_last_words(Step::uninstall, end);
      step_ = Activity::none;
      const auto done = std::exchange(on_uninstalled_, {});
      if (done) done();
      return;
    }
    case Activity::none:
    case Activity::artifacts:
    case Activity::restart:
    case Activity::backoff:
      return;
  }
}

void Component::on_bootstrap_end(const ProcessEnd& end) {
  helper_.reset();
  step_ = Activity::none;
  if (goal_ == Goal::down) return finish_stop();
  std::optional<RestartOf> restart;
  if (end.status.signal == 0 && end.status.code == kBootstrapRestartAgent) {
    restart = RestartOf::agent;
  } else if (end.status.signal == 0 && end.status.code == kBootstrapRestartDevice) {
    restart = RestartOf::device;
  }
  const bool good = restart || (end.status.ok() && !end.timed_out);
  if (!good) {
    failed_in_bootstrap_ = true;
    return fail(end.timed_out ? "INSTALL_TIMEOUT" : "INSTALL_ERROR", describe("bootstrap", end));
  }
  host_.note_bootstrapped(spec_, restart);
  if (!restart) return install();
  step_ = Activity::restart;
  base::log_info("bootstrap asks for a restart",
                 {{"component", spec_.name},
                  {"of", *restart == RestartOf::agent ? "the agent" : "the device"}});
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
    up_since_ = loop_.now();
    settled_ = true;
    return set_state(ComponentState::running);
  }
  const bool ended_for_its_agent = good && process_->lacks_client();
  process_.reset();
  step_ = Activity::none;
  if (ended_for_its_agent) {
    base::log_info("a component has ended when its agent was gone; starting it anew",
                   {{"component", spec_.name}});
    return begin_install();
  }
  if (good) {
    settled_ = true;
    return set_state(ComponentState::finished);
  }
  const bool startup = activity == Activity::startup;
  fail(std::string(startup ? "STARTUP" : "RUN") + (end.timed_out ? "_TIMEOUT" : "_ERROR"),
       describe(startup ? "startup" : "run", end));
}

bool Component::pause() {
  if (state_ != ComponentState::running || !process_) return false;
  process_->pause();
  paused_ = true;
  return true;
}

bool Component::resume() {
  if (state_ != ComponentState::running || !process_) return false;
  process_->resume();
  paused_ = false;
  return true;
}

void Component::limit_to(const recipe::ResourceLimits& limits) {
  spec_.limits = limits;
  if (process_) process_->limit_to(limits);
}

void Component::report_running() {
  if (goal_ != Goal::up) return;
  if (state_ != ComponentState::starting && state_ != ComponentState::running) return;
  loop_.cancel(std::exchange(timer_, 0));
  if (process_) process_->note_running();
  const bool was_settled = std::exchange(settled_, true);
  if (state_ == ComponentState::running) {
    if (!was_settled) on_change_(*this);
    return;
  }
  up_since_ = loop_.now();
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
  if (up_since && loop_.now() - *up_since > kForgiveErrorsAfter) errors_ = 0;
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
  if (launch(Step::recover, Activity::recover) == Launch::nothing) retry();
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
  process_->resume();  // it has a shutdown step to take part in
  set_state(ComponentState::stopping);
  if (was_up && launch(Step::shutdown, Activity::shutdown) == Launch::started) return;
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
  // It says no where the component has not run since they changed: then nothing of them runs now.
  if (host_.has_artifacts(spec_) &&
      launch(Step::uninstall, Activity::uninstall) == Launch::started) {
    return;
  }
  const auto finished = std::exchange(on_uninstalled_, {});
  if (finished) finished();
}

// The component goes down all the same.
void Component::note_last_words(Step step, const ProcessEnd& end) {
  if (end.status.ok() && !end.timed_out) return;
  status_code_ = step == Step::shutdown ? "SHUTDOWN" : "UNINSTALL";
  status_code_ += end.timed_out ? "_TIMEOUT" : "_ERROR";
  reason_ = describe(recipe::to_string(step), end);
  base::log_warning("a component did not go down as it should", {{"component", spec_.name},
                                                                 {"version", spec_.version},
                                                                 {"code", status_code_},
                                                                 {"reason", reason_}});
}

std::string Component::describe(std::string_view step, const ProcessEnd& end) const {
  std::string text = "step " + std::string(step);
  text += end.timed_out ? " ran out of time" : " ended with " + base::to_string(end.status);
  if (end.lacked_memory) text += "; its limit of memory was reached";
  if (end.was_alone) text += " while no agent ran";
  std::string tail = end.last_words;
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == ' ')) tail.pop_back();
  const std::size_t line = tail.rfind('\n');
  if (line != std::string::npos) tail.erase(0, line + 1);
  if (!tail.empty()) text += "; its last line of output: " + tail;
  return text;
}

}  // namespace andon::edge
