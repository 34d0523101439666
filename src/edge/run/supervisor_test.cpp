// SPDX-License-Identifier: Apache-2.0
// Components with real processes; the loop's clock runs fast where nothing else happens.
#include "edge/run/supervisor.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "base/os/file.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/plain_host.hpp"

namespace andon::edge {
namespace {

using recipe::Step;
using std::chrono::milliseconds;

constexpr milliseconds kLimit{20'000};

class SupervisorTest : public testing::Test {
 protected:
  ChangeResult change(const std::vector<ComponentSpec>& target,
                      const std::set<std::string>& restart = {}, milliseconds limit = kLimit) {
    std::optional<ChangeResult> result;
    supervisor_.change(target, restart, limit, [&](const ChangeResult& got) { result = got; });
    EXPECT_TRUE(wait_for([&] { return result.has_value(); }));
    return result.value_or(ChangeResult{false, {}, "no answer", {}, false});
  }

  bool wait_for(const std::function<bool()>& condition) {
    return run_fast_until(loop_, clock_, condition);
  }

  // What the scripts wrote with `echo ... >> $TRACE`, blanks between the lines.
  std::string trace() const {
    std::ifstream file(directory_.path() / "trace");
    std::string all;
    for (std::string line; std::getline(file, line);) all += line + ' ';
    return all;
  }

  ComponentState state_of(const std::string& name) {
    const Component* component = supervisor_.find(name);
    return component == nullptr ? ComponentState::created : component->state();
  }

  base::TemporaryDirectory directory_;
  FakeLoopClock clock_;
  EventLoop loop_{clock_};
  ProcessJournal journal_{directory_.path()};
  PlainHost host_{directory_.path()};
  std::vector<std::string> changes_;
  Supervisor supervisor_{loop_, journal_, host_,
                         [this](const std::string& name) { changes_.push_back(name); }};
};

TEST_F(SupervisorTest, InstallsThenRunsAndIsSettledWhenTheProcessLives) {
  const ChangeResult result =
      change({make_spec("a", "1",
                        {{Step::install, "echo install >> $TRACE"},
                         {Step::run, "echo run >> $TRACE; exec sleep 1000"}})});
  EXPECT_TRUE(result.ok) << result.reason;
  EXPECT_EQ(state_of("a"), ComponentState::running);
  EXPECT_EQ(trace(), "install run ");
}

TEST_F(SupervisorTest, AShutdownStepThatFailsIsNamedUntilTheNextStart) {
  ASSERT_TRUE(change({make_spec("a", "1",
                                {{Step::run, "exec sleep 1000"},
                                 {Step::shutdown, "echo the camera hangs; exit 3"}})})
                  .ok);
  supervisor_.find("a")->stop();
  ASSERT_TRUE(wait_for([&] { return state_of("a") == ComponentState::installed; }));
  EXPECT_EQ(supervisor_.find("a")->status_code(), "SHUTDOWN_ERROR");
  EXPECT_NE(supervisor_.find("a")->reason().find("the camera hangs"), std::string::npos);
  supervisor_.find("a")->start();
  EXPECT_EQ(supervisor_.find("a")->status_code(), "");
}

TEST_F(SupervisorTest, ItWaitsForItsArtifactsAndSaysWhy) {
  host_.set_lacking({"a"});
  std::optional<ChangeResult> result;
  supervisor_.change({make_spec("a", "1", {{Step::run, "exec sleep 1000"}})}, {}, kLimit,
                     [&](const ChangeResult& got) { result = got; });
  ASSERT_TRUE(wait_for([&] { return supervisor_.find("a") != nullptr; }));
  supervisor_.find("a")->artifacts_lost("model.onnx changed");
  ASSERT_TRUE(wait_for([&] { return !changes_.empty(); }));
  EXPECT_EQ(state_of("a"), ComponentState::errored);
  EXPECT_EQ(supervisor_.find("a")->reason(), "model.onnx changed");
  EXPECT_EQ(supervisor_.find("a")->pid(), 0);
  host_.set_lacking({});
  supervisor_.find("a")->artifacts_ready();
  ASSERT_TRUE(wait_for([&] { return result.has_value(); }));
  EXPECT_TRUE(result->ok) << result->reason;
}

TEST_F(SupervisorTest, OneThatWaitsForItsArtifactsCanBeStopped) {
  host_.set_lacking({"a"});
  supervisor_.change({make_spec("a", "1", {{Step::run, "exec sleep 1000"}})}, {}, kLimit,
                     [](const ChangeResult&) {});
  ASSERT_TRUE(wait_for([&] { return supervisor_.find("a") != nullptr; }));
  bool stopped = false;
  supervisor_.stop_all([&] { stopped = true; });
  ASSERT_TRUE(wait_for([&] { return stopped; }));
}

TEST_F(SupervisorTest, ARunThatEndsWellIsFinished) {
  EXPECT_TRUE(change({make_spec("a", "1", {{Step::run, "true"}})}).ok);
  EXPECT_EQ(state_of("a"), ComponentState::finished);
}

TEST_F(SupervisorTest, AComponentWithoutStepsIsFinished) {
  EXPECT_TRUE(change({make_spec("model", "1", {})}).ok);
  EXPECT_EQ(state_of("model"), ComponentState::finished);
}

TEST_F(SupervisorTest, ThreeErrorsBreakItAndTheReasonHasItsLastWords) {
  const ChangeResult result =
      change({make_spec("a", "1",
                        {{Step::run, "echo run >> $TRACE; echo no camera found; exit 7"},
                         {Step::recover, "echo recover >> $TRACE"}})});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.component, "a");
  EXPECT_EQ(result.status_code, "RUN_ERROR");
  EXPECT_NE(result.reason.find("exit code 7"), std::string::npos) << result.reason;
  EXPECT_NE(result.reason.find("no camera found"), std::string::npos) << result.reason;
  EXPECT_EQ(trace(), "run recover run recover run ");
}

TEST_F(SupervisorTest, InstallIsTriedThreeTimes) {
  const ChangeResult result = change({make_spec(
      "a", "1",
      {{Step::install, "echo try >> $TRACE; exit 1"}, {Step::run, "echo never >> $TRACE"}})});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.status_code, "INSTALL_ERROR");
  EXPECT_EQ(trace(), "try try try ");
}

TEST_F(SupervisorTest, AStepThatTakesTooLongIsKilled) {
  ComponentSpec spec = make_spec("a", "1", {{Step::startup, "sleep 1000"}});
  spec.lifecycle.steps[Step::startup].timeout = "0.1";
  const ChangeResult result = change({spec});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(result.status_code, "STARTUP_TIMEOUT");
}

TEST_F(SupervisorTest, StartupIsUpWhenItsScriptEndsAndItsServiceIsStoppedWithIt) {
  ASSERT_TRUE(
      change({make_spec("a", "1", {{Step::startup, "sleep 1000 & echo $! > pid; exit 0"}})}).ok);
  EXPECT_EQ(state_of("a"), ComponentState::running);
  const pid_t service = std::stoi(base::read_file(directory_.path() / "pid"));
  EXPECT_EQ(kill(service, 0), 0);
  ASSERT_TRUE(change({}).ok);
  EXPECT_TRUE(wait_for([&] {
    // Killed; as an orphan it may be a zombie for a moment where init is slow to reap.
    const auto stat = base::read_file_if_exists("/proc/" + std::to_string(service) + "/stat");
    return !stat || stat->find(") Z ") != std::string::npos;
  }));
}

TEST_F(SupervisorTest, StartsDependenciesFirstAndStopsThemLast) {
  const std::vector<ComponentSpec> set{
      make_spec("app", "1",
                {{Step::run,
                  "trap 'echo app-stops >> $TRACE; exit 0' TERM; "
                  "echo app >> $TRACE; while :; do sleep 0.01; done"}},
                {"model"}),
      make_spec("model", "1",
                {{Step::startup, "echo model >> $TRACE"},
                 {Step::shutdown, "echo model-stops >> $TRACE"}})};
  ASSERT_TRUE(change(set).ok);
  bool stopped = false;
  supervisor_.stop_all([&] { stopped = true; });
  ASSERT_TRUE(wait_for([&] { return stopped; }));
  EXPECT_EQ(trace(), "model app app-stops model-stops ");
}

TEST_F(SupervisorTest, OnlyWhatChangedAndItsDependentsRestart) {
  const std::string run = "echo $COMPONENT >> $TRACE; exec sleep 1000";
  ASSERT_TRUE(change({make_spec("app", "1", {{Step::run, run}}, {"model"}),
                      make_spec("model", "1", {}), make_spec("other", "1", {{Step::run, run}})})
                  .ok);
  const pid_t other = supervisor_.find("other")->pid();
  const pid_t app = supervisor_.find("app")->pid();
  ASSERT_TRUE(change({make_spec("app", "1", {{Step::run, run}}, {"model"}),
                      make_spec("model", "2", {}), make_spec("other", "1", {{Step::run, run}})})
                  .ok);
  EXPECT_EQ(supervisor_.find("other")->pid(), other);
  EXPECT_NE(supervisor_.find("app")->pid(), app);
  EXPECT_EQ(supervisor_.find("model")->spec().version, "2");
}

TEST_F(SupervisorTest, ItsOwnWordSettlesItAtOnce) {
  std::optional<ChangeResult> result;
  supervisor_.change({make_spec("a", "1", {{Step::run, "exec sleep 1000"}})}, {}, kLimit,
                     [&](const ChangeResult& got) { result = got; });
  ASSERT_TRUE(wait_for([&] { return state_of("a") == ComponentState::running; }));
  supervisor_.find("a")->report_running();
  // The clock stands still: it is not the time that settles it.
  EXPECT_TRUE(loop_.run_until([&] { return result.has_value(); }, kLimit));
}

TEST_F(SupervisorTest, ANewChangeTakesThePlaceOfOneThatHangs) {
  bool first_done = false;
  supervisor_.change({make_spec("a", "1", {{Step::startup, "exec sleep 1000"}})}, {}, kLimit,
                     [&](const ChangeResult&) { first_done = true; });
  ASSERT_TRUE(wait_for([&] { return state_of("a") == ComponentState::starting; }));
  EXPECT_TRUE(change({make_spec("a", "0", {{Step::run, "exec sleep 1000"}})}).ok);
  EXPECT_FALSE(first_done);
  EXPECT_EQ(supervisor_.find("a")->spec().version, "0");
}

TEST_F(SupervisorTest, WaitingHasALimitAndAReason) {
  const ChangeResult result =
      change({make_spec("a", "1", {{Step::startup, "exec sleep 1000"}})}, {}, milliseconds{200});
  EXPECT_FALSE(result.ok);
  EXPECT_NE(result.reason.find("a is STARTING"), std::string::npos) << result.reason;
}

TEST_F(SupervisorTest, SkipifSkipsAStep) {
  ComponentSpec spec = make_spec("a", "1", {{Step::install, "exit 1"}, {Step::run, "true"}});
  spec.lifecycle.steps[Step::install].skip_if = "onpath sh";
  EXPECT_TRUE(change({spec}).ok);
}

TEST_F(SupervisorTest, UninstallRunsItsStep) {
  bool done = false;
  supervisor_.uninstall(
      {make_spec("a", "1", {{Step::uninstall, "echo gone >> $TRACE"}}), make_spec("b", "1", {})},
      [&] { done = true; });
  ASSERT_TRUE(wait_for([&] { return done; }));
  EXPECT_EQ(trace(), "gone ");
}

TEST_F(SupervisorTest, RestartStartsAnewWithDependents) {
  const std::string run = "exec sleep 1000";
  ASSERT_TRUE(change({make_spec("app", "1", {{Step::run, run}}, {"camera"}),
                      make_spec("camera", "1", {{Step::run, run}})})
                  .ok);
  const pid_t camera = supervisor_.find("camera")->pid();
  const pid_t app = supervisor_.find("app")->pid();
  ASSERT_TRUE(supervisor_.restart("camera"));
  ASSERT_TRUE(wait_for([&] {
    const Component* one = supervisor_.find("camera");
    const Component* two = supervisor_.find("app");
    return one != nullptr && two != nullptr && one->pid() > 0 && one->pid() != camera &&
           two->pid() > 0 && two->pid() != app;
  }));
  EXPECT_FALSE(supervisor_.restart("nobody"));
}

TEST(ComponentsToStop, AreThoseThatDifferTheirDependentsAndTheUnhealthy) {
  const std::vector<ComponentSpec> running{make_spec("a", "1", {}), make_spec("b", "1", {}, {"a"}),
                                           make_spec("c", "1", {}, {"b"}), make_spec("d", "1", {}),
                                           make_spec("e", "1", {})};
  std::vector<ComponentSpec> target = running;
  target[0].identity = "2";
  EXPECT_EQ(components_to_stop(running, target, {"e"}),
            (std::set<std::string>{"a", "b", "c", "e"}));
  target.erase(target.begin() + 3);
  EXPECT_TRUE(components_to_stop(running, target, {}).contains("d"));
}

TEST_F(SupervisorTest, ABootstrapStepThatAsksForARestartIsNotRunAgain) {
  for (const auto& [code, what] : {std::pair{100, RestartOf::agent}, {101, RestartOf::device}}) {
    const std::string version = std::to_string(code);
    const ComponentSpec spec =
        make_spec("a", version,
                  {{Step::bootstrap, "echo bootstrap >> $TRACE; exit " + std::to_string(code)},
                   {Step::install, "echo install >> $TRACE"},
                   {Step::run, "exec sleep 1000"}});
    host_.restarts.clear();
    supervisor_.change({spec}, {}, kLimit, [](const ChangeResult&) { FAIL(); });
    ASSERT_TRUE(wait_for([&] { return !host_.restarts.empty(); }));
    EXPECT_EQ(host_.restarts, std::vector{what});
    bool stopped = false;
    supervisor_.stop_all([&] { stopped = true; });
    ASSERT_TRUE(wait_for([&] { return stopped; }));
    EXPECT_TRUE(change({spec}).ok);  // as the next agent does
  }
  EXPECT_EQ(trace(), "bootstrap install bootstrap install ");
}

TEST_F(SupervisorTest, ABootstrapStepThatFailsBreaksItsComponent) {
  const ChangeResult result =
      change({make_spec("a", "1", {{Step::bootstrap, "exit 7"}, {Step::run, "exec sleep 1000"}})});
  EXPECT_FALSE(result.ok);
  EXPECT_TRUE(result.in_bootstrap);
  EXPECT_NE(result.reason.find("step bootstrap ended with exit code 7"), std::string::npos)
      << result.reason;
}

TEST_F(SupervisorTest, WhatIsStoppedByHandStaysDownUntilItIsRestartedOrChanged) {
  const ComponentSpec base = make_spec("base", "1", {{Step::run, "exec sleep 1000"}});
  const ComponentSpec user = make_spec("user", "1", {{Step::run, "exec sleep 1000"}}, {"base"});
  const ComponentSpec other = make_spec("other", "1", {{Step::run, "exec sleep 1000"}});
  ASSERT_TRUE(change({base, user, other}).ok);
  EXPECT_FALSE(supervisor_.hold("nobody"));
  EXPECT_TRUE(supervisor_.hold("base"));
  ASSERT_TRUE(wait_for([&] {
    return state_of("base") == ComponentState::installed &&
           state_of("user") == ComponentState::installed;
  }));
  EXPECT_EQ(state_of("other"), ComponentState::running);
  EXPECT_TRUE(supervisor_.restart("base"));
  ASSERT_TRUE(wait_for([&] { return state_of("user") == ComponentState::running; }));
  EXPECT_TRUE(supervisor_.hold("other"));
  ASSERT_TRUE(wait_for([&] { return state_of("other") == ComponentState::installed; }));
  EXPECT_TRUE(change({base, user, other}).ok);
  EXPECT_EQ(state_of("other"), ComponentState::running);
  EXPECT_TRUE(supervisor_.hold("other"));
  bool stopped = false;
  supervisor_.stop_all([&] { stopped = true; });
  EXPECT_TRUE(wait_for([&] { return stopped; }));
}

TEST_F(SupervisorTest, APausedComponentStandsStillAndCanBeStopped) {
  const ComponentSpec spec =
      make_spec("a", "1",
                {{Step::run,
                  "trap 'echo end >> $TRACE; exit 0' TERM; sleep 1000 & echo up >> $TRACE; wait"}});
  ASSERT_TRUE(change({spec}).ok);
  ASSERT_TRUE(wait_for([&] { return trace() == "up "; }));
  Component& component = *supervisor_.find("a");
  const auto state_in_kernel = [&] {
    std::ifstream file("/proc/" + std::to_string(component.pid()) + "/stat");
    std::string pid;
    std::string name;
    std::string state;
    file >> pid >> name >> state;
    return state;
  };
  EXPECT_TRUE(component.pause());
  EXPECT_TRUE(component.paused());
  ASSERT_TRUE(wait_for([&] { return state_in_kernel() == "T"; }));
  EXPECT_TRUE(component.resume());
  ASSERT_TRUE(wait_for([&] { return state_in_kernel() != "T"; }));
  EXPECT_TRUE(component.pause());
  bool stopped = false;
  supervisor_.stop_all([&] { stopped = true; });
  ASSERT_TRUE(wait_for([&] { return stopped; }));
  EXPECT_EQ(trace(), "up end ");
}

}  // namespace
}  // namespace andon::edge
