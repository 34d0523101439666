// SPDX-License-Identifier: Apache-2.0
// The life of one component: install, startup or run, shutdown, recover, with timeouts, retries and
// backoff, as the Greengrass nucleus does it. Owned by the Supervisor; main thread only.
//
// A run process counts as RUNNING once it has started, and as settled (good enough for a
// deployment to succeed) when it has lived for kSettleTime, has said RUNNING itself (UpdateState),
// or has ended with 0. One that dies sooner is an error; three errors make the component BROKEN.
// So a program that fails at its start fails the deployment, and a healthy one costs half a
// second at most.
//
// The service (startup or run) has a keeper and goes on when its agent ends; the next one takes it
// up, as it is by then. Any other step ends with the agent, and is done again.
//
// It begins only while its artifacts are what was verified; else it waits until it is told that
// they are back.
//
// Bootstrap runs before install, once for each version. With exit code 100 it asks for a restart of
// the agent, with 101 for one of the device: the component waits for it, and goes on with install
// in the next agent.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edge/loop/event_loop.hpp"
#include "edge/process/component_log.hpp"
#include "edge/process/component_process.hpp"
#include "edge/process/kept_process.hpp"
#include "edge/process/process_journal.hpp"
#include "fleet/messages/health_message.hpp"
#include "recipe/recipe/recipe.hpp"

namespace andon::edge {

constexpr std::chrono::milliseconds kSettleTime{500};

using fleet::ComponentState;

struct ComponentSpec {
  std::string name;
  std::string version;
  std::string identity;         // components with equal identity need no restart
  recipe::Lifecycle lifecycle;  // variables still in it
  std::vector<std::string> hard_dependencies;
  std::vector<std::string> dependencies;  // hard and soft
  std::string run_as;                     // "user:group", "user" or "" for the agent's own
};

// What a bootstrap step can ask for.
enum class RestartOf { agent, device };

// What a component needs from the agent.
class ComponentHost {
 public:
  ComponentHost() = default;
  ComponentHost(const ComponentHost&) = delete;
  ComponentHost& operator=(const ComponentHost&) = delete;
  virtual ~ComponentHost() = default;

  // Variables replaced by their values of this moment; throws invalid_argument where one has none.
  virtual recipe::Lifecycle interpolated(const ComponentSpec& spec) = 0;
  // All that a script of the component gets when it runs as `who`.
  virtual std::map<std::string, std::string> environment(const ComponentSpec& spec,
                                                         const RunAs& who) = 0;
  virtual base::fs::path working_directory(const ComponentSpec& spec) = 0;  // made if missing
  virtual base::fs::path log_file(const ComponentSpec& spec) = 0;
  virtual bool is_installed(const ComponentSpec& spec) = 0;
  virtual void note_installed(const ComponentSpec& spec) = 0;
  virtual bool is_bootstrapped(const ComponentSpec& spec) = 0;
  // Where it asks for a restart, that follows once this is noted durably.
  virtual void note_bootstrapped(const ComponentSpec& spec, std::optional<RestartOf> restart) = 0;
  // False: artifacts_ready() or artifacts_lost() follows.
  virtual bool has_artifacts(const ComponentSpec& spec) = 0;
};

class Component {
 public:
  // `on_change` is called after each change of state() or settled(), in the middle of the change:
  // it must only take note of it.
  Component(EventLoop& loop, ProcessJournal& journal, ComponentHost& host, ComponentSpec spec,
            std::function<void(Component&)> on_change);
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
  ~Component();

  [[nodiscard]] const ComponentSpec& spec() const { return spec_; }
  [[nodiscard]] ComponentState state() const { return state_; }
  [[nodiscard]] bool is_up() const {
    return state_ == ComponentState::running || state_ == ComponentState::finished;
  }
  [[nodiscard]] bool settled() const { return is_up() && settled_; }
  [[nodiscard]] bool stopped() const { return goal_ == Goal::down && step_ == Activity::none; }
  // Why it is ERRORED or BROKEN, or did not go down as it should: what a person reads; and
  // Greengrass's code ("RUN_ERROR", "SHUTDOWN_TIMEOUT").
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const std::string& status_code() const { return status_code_; }
  // Is it the bootstrap step that failed?
  [[nodiscard]] bool failed_in_bootstrap() const { return failed_in_bootstrap_; }
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }

  // Installs at once; waits with startup and run for allow_start().
  void start();
  // Instead of start(): takes up the service that an earlier agent has left.
  void take_up(KeptRecord record);
  // The agent ends, and its service does not: nothing but the destructor may follow.
  void leave();
  void allow_start();
  // Ends it (shutdown step, then signals); stopped() is true when that is done. Again: nothing.
  void stop();
  // Runs the uninstall step of a stopped component; `done` follows, whatever comes of it.
  void uninstall(std::function<void()> done);
  // Stops the processes of one that is RUNNING where they are, and lets them go on. False where it
  // is not RUNNING. Again: nothing.
  bool pause();
  bool resume();
  [[nodiscard]] bool paused() const { return paused_; }
  // It has a client of the component IPC from now on, or none any more; for the next agent.
  void note_client(bool has_client);
  // The component's own word, over IPC.
  void report_running();
  void report_error();
  // Its artifacts are in place again, and it can begin; or are not, and it goes on waiting.
  void artifacts_ready();
  void artifacts_lost(std::string why);

 private:
  enum class Goal { up, down };
  enum class Activity {
    none,
    artifacts,
    bootstrap,
    restart,  // of the agent or the device: awaited
    install,
    startup,
    run,
    shutdown,
    recover,
    uninstall,
    backoff
  };

  void set_state(ComponentState state);
  void begin_install();
  void on_bootstrap_end(const ProcessEnd& end);
  void install();
  void note_installed();
  void after_install();
  void begin_service();
  void begin_run();
  void settle_later();
  void begin_stop();
  void signal_service();
  void finish_stop();
  enum class Launch { started, nothing, failed };
  // Starts the step's process; `nothing` where it is absent, empty or skipped. After `failed` the
  // error has been dealt with.
  Launch launch(recipe::Step step, Activity activity);
  void start_process(Activity activity, const ProcessOrder& order);
  void on_step_end(Activity activity, const ProcessEnd& end);
  void on_service_end(Activity activity, const ProcessEnd& end);
  void fail(std::string_view code, std::string why);
  void retry();
  void note_last_words(recipe::Step step, const ProcessEnd& end);
  [[nodiscard]] std::string describe(std::string_view step, const ProcessEnd& end) const;

  EventLoop& loop_;
  ProcessJournal& journal_;
  ComponentHost& host_;
  ComponentSpec spec_;
  std::function<void(Component&)> on_change_;
  ComponentLog log_;

  Goal goal_ = Goal::down;
  ComponentState state_ = ComponentState::created;
  Activity step_ = Activity::none;
  bool may_start_ = false;
  bool settled_ = false;
  bool service_is_startup_ = false;
  int errors_ = 0;
  std::optional<std::chrono::steady_clock::time_point> up_since_;
  std::string reason_;
  std::string status_code_;
  bool failed_in_bootstrap_ = false;
  bool paused_ = false;
  std::unique_ptr<KeptProcess> process_;      // startup or run
  std::unique_ptr<ComponentProcess> helper_;  // any other step
  EventLoop::TimerId timer_ = 0;              // settling or backing off
  std::function<void()> on_uninstalled_;
};

}  // namespace andon::edge
