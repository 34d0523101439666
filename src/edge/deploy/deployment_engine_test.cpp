// SPDX-License-Identifier: Apache-2.0
// Deployments with real components and a worker that does as it is told. An "agent" that is
// destroyed in the middle of a deployment stands for one that was killed: nothing is said to it.
#include "edge/deploy/deployment_engine.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "base/error/error.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/enrolled_device.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/recording_stream.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using State = DeploymentState;

constexpr milliseconds kLimit{20'000};

std::string recipe_text(const std::string& name, const std::string& version,
                        const std::string& run) {
  return R"({"RecipeFormatVersion":"2020-01-25","ComponentName":")" + name +
         R"(","ComponentVersion":")" + version +
         R"(","ComponentConfiguration":{"DefaultConfiguration":{"a":1}},)" +
         R"("Manifests":[{"Platform":{"os":"linux"},"Lifecycle":{"run":")" + run +
         R"(","uninstall":"echo {configuration:/a} >> ../uninstalled"}}]})";
}

// "Resolves" to the version that the document names; version 9 cannot run.
class ScriptedWorker final : public DeploymentWorker {
 public:
  InstalledSet resolve(const ResolveInput& input, const Cancellation& cancellation) override {
    step("resolve", cancellation);
    InstalledSet plan;
    for (const auto& [name, wanted] : input.document.components) {
      InstalledComponent component;
      component.name = name;
      component.version = wanted.version;
      component.recipe = recipe::ServedRecipe(recipe_text(
          name, wanted.version, wanted.version == "9.0.0" ? "exit 3" : "exec sleep 1000"));
      plan.components.push_back(component);
    }
    return plan;
  }
  FetchedBytes fetch(const InstalledSet&, const InstalledSet&,
                     const Cancellation& cancellation) override {
    step("fetch", cancellation);
    return {1, 100};
  }
  void verify(const InstalledSet&, const InstalledSet&, const Cancellation& cancellation) override {
    step("verify", cancellation);
  }
  std::set<std::string> stage(const InstalledSet&, const InstalledSet&,
                              const Cancellation& cancellation) override {
    step("stage", cancellation);
    return {};
  }
  void clean_up(const InstalledSet&) override {
    const std::lock_guard lock(mutex_);
    ++clean_ups_;
  }
  bool is_in_place(const InstalledComponent&) override { return true; }
  Placement check(const InstalledComponent&) override { return {}; }
  void fetch_again(const InstalledComponent&, const Cancellation&) override {}

  void fail_in(const std::string& name) {
    const std::lock_guard lock(mutex_);
    fails_in_ = name;
  }
  int clean_ups() const {
    const std::lock_guard lock(mutex_);
    return clean_ups_;
  }
  void hang_in(const std::string& name) {
    const std::lock_guard lock(mutex_);
    hangs_in_ = name;
  }

 private:
  void step(const std::string& name, const Cancellation& cancellation) const {
    std::unique_lock lock(mutex_);
    const bool hangs = name == hangs_in_;
    const bool fails = name == fails_in_;
    lock.unlock();
    if (hangs) cancellation.wait(kLimit);
    if (fails) {
      throw DeploymentFailure(base::ErrorCode::data_corrupted, "as told", {"IO_ERROR"},
                              {"DEVICE_ERROR"});
    }
  }

  mutable std::mutex mutex_;  // the test's thread sets, the worker's reads
  std::string fails_in_;
  std::string hangs_in_;
  int clean_ups_ = 0;
};

// Everything of an agent but the network.
struct Bench {
  explicit Bench(const fs::path& root, std::string dies_after = {})
      : layout(root), dies_after_(std::move(dies_after)) {
    layout.make();
  }

  // On the state writer's thread.
  void report(const std::string& job, const fleet::DeploymentOutcome& outcome) {
    const std::lock_guard lock(mutex);
    if (full_for > 0) {
      --full_for;
      throw base::Error(base::ErrorCode::resource_exhausted, "the disk is full");
    }
    reported.push_back(job + ' ' + std::string(to_string(outcome.status)) + ' ' +
                       outcome.details.detailed_status);
    reported_cause = outcome.details.failure_cause;
    reported_stack = outcome.details.error_stack;
  }
  bool is_settled() const { return std::as_const(supervisor).find("app")->settled(); }
  bool run_until(const std::function<bool()>& done) {
    return run_fast_until(loop, loop_clock, [&] {
      const std::lock_guard lock(mutex);
      reports = reported;
      cause = reported_cause;
      stack = reported_stack;
      return done();
    });
  }
  bool run_until_end() {
    return run_until([this] { return died || ended; });
  }
  std::string version() const {
    const Component* component = std::as_const(supervisor).find("app");
    return component == nullptr ? "" : component->spec().version;
  }

  Layout layout;
  std::string dies_after_;
  bool died = false;
  std::vector<std::string> steps;
  bool ended = false;
  std::vector<std::string> reports;  // as they were at the last turn of run_until()
  std::string cause;
  std::vector<std::string> stack;
  std::mutex mutex;
  std::vector<std::string> reported;  // guarded by mutex, as is the next
  std::string reported_cause;
  std::vector<std::string> reported_stack;
  int full_for = 0;  // reports that cannot be written
  base::SystemClock clock;
  FakeLoopClock loop_clock;
  EventLoop loop{loop_clock};
  DeviceConfig config = enrolled_device();
  std::unique_ptr<store::Database> database = open_state_database(layout.database());
  DeploymentJournal journal{*database, clock};
  StateWriter writer{loop, *database};
  ConfigurationStore configurations{*database, writer, clock};
  ComponentTokens tokens;
  ProcessJournal processes{layout.processes()};
  AgentHost host{config, layout, *database, writer, configurations, tokens};
  Supervisor supervisor{loop, processes, host, [](const std::string&) {}};
  UpdateOperations updates{loop};
  ScriptedWorker worker;
  DeploymentEngine engine{
      {loop, journal, writer, worker, configurations, host, supervisor, updates, clock},
      {[this](auto&, const std::string& job, const fleet::DeploymentOutcome& outcome) {
         report(job, outcome);
       },
       [] {}, [this](const fleet::DeploymentHealth&) { ended = true; },
       [this](std::string_view step) {
         steps.emplace_back(step);
         if (step != dies_after_) return;
         died = true;
         engine.halt();
       }}};
};

fleet::Job job(const std::string& id, const std::string& version, const std::string& more = "") {
  return {id, 1,
          R"({"deploymentId":")" + id +
              R"(","configurationArn":"arn:aws:greengrass:r:0:configuration:thing/dev1:1",)" +
              R"("components":{"app":{"version":")" + version + R"("}})" + more + "}"};
}

class DeploymentEngineTest : public testing::Test {
 protected:
  using Texts = std::vector<std::string>;
  // A device with version 1.0.0 as its last good deployment.
  void deploy_first() {
    Bench bench(directory_.path());
    bench.engine.start();
    bench.engine.offer(job("first", "1.0.0"));
    ASSERT_TRUE(bench.run_until_end());
    ASSERT_EQ(bench.reports.back(), "first SUCCEEDED SUCCESSFUL");
  }
  base::TemporaryDirectory directory_;
};

TEST_F(DeploymentEngineTest, DeploysAndReports) {
  Bench bench(directory_.path());
  bench.engine.start();
  bench.engine.offer(job("one", "1.0.0"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports, (Texts{"one IN_PROGRESS ", "one SUCCEEDED SUCCESSFUL"}));
  EXPECT_EQ(bench.version(), "1.0.0");
  EXPECT_EQ(bench.journal.latest()->bytes_fetched, 100U);
  // The same job again, as brokers do, changes nothing.
  bench.engine.offer(job("one", "1.0.0"));
  EXPECT_FALSE(bench.engine.busy());
}

TEST_F(DeploymentEngineTest, OneThatADiskWithoutRoomDoesNotTakeIsBegunWhenThereIsRoom) {
  deploy_first();
  Bench bench(directory_.path());
  bench.full_for = 2;
  bench.engine.start();
  bench.engine.offer(job("one", "2.0.0"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "one SUCCEEDED SUCCESSFUL");
  EXPECT_EQ(bench.version(), "2.0.0");
}

TEST_F(DeploymentEngineTest, OneThatWaitsForRoomGivesWayToANewerOneAndIsWithdrawn) {
  deploy_first();
  Bench bench(directory_.path());
  bench.full_for = 1;
  bench.engine.start();
  bench.engine.offer(job("older", "2.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return !bench.engine.busy(); }));
  bench.engine.offer(job("newer", "3.0.0"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports, (Texts{"newer IN_PROGRESS ", "newer SUCCEEDED SUCCESSFUL"}));
  bench.full_for = 1;
  bench.engine.offer(job("withdrawn", "4.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return !bench.engine.busy(); }));
  bench.engine.withdraw();
  bench.loop_clock.advance(std::chrono::minutes{1});
  EXPECT_FALSE(
      bench.loop.run_until([&] { return bench.engine.busy(); }, std::chrono::milliseconds{20}));
}

TEST_F(DeploymentEngineTest, AFailureBeforeActivationTouchesNothing) {
  deploy_first();
  for (const char* step : {"resolve", "fetch", "verify", "stage"}) {
    Bench bench(directory_.path());
    bench.worker.fail_in(step);
    bench.engine.start();
    bench.engine.offer(job(std::string("fails-in-") + step, "2.0.0"));
    ASSERT_TRUE(bench.run_until_end());
    EXPECT_EQ(bench.reports.back(),
              std::string("fails-in-") + step + " FAILED FAILED_NO_STATE_CHANGE");
    EXPECT_EQ(bench.cause, "as told");
    EXPECT_EQ(bench.journal.last_good().components.at(0).version, "1.0.0");
  }
}

TEST_F(DeploymentEngineTest, AComponentThatCannotRunIsRolledBack) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  bench.engine.offer(job("bad", "9.0.0", R"(,"failureHandlingPolicy":"ROLLBACK")"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "bad FAILED FAILED_ROLLBACK_COMPLETE");
  EXPECT_EQ(bench.version(), "1.0.0");
}

TEST_F(DeploymentEngineTest, WithDoNothingTheFailedSetStays) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  bench.engine.offer(job("bad", "9.0.0", R"(,"failureHandlingPolicy":"DO_NOTHING")"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "bad FAILED FAILED_ROLLBACK_NOT_REQUESTED");
  EXPECT_EQ(bench.version(), "9.0.0");
}

TEST_F(DeploymentEngineTest, CancellingEndsAHangingDeploymentAndTheNextWorks) {
  Bench bench(directory_.path());
  bench.worker.hang_in("fetch");
  bench.engine.start();
  bench.engine.offer(job("hangs", "1.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return bench.engine.state_name() == "RESOLVED"; }));
  bench.engine.withdraw();
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "hangs FAILED FAILED_NO_STATE_CHANGE");
  bench.worker.hang_in("");
  bench.ended = false;
  bench.engine.offer(job("next", "1.0.0"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "next SUCCEEDED SUCCESSFUL");
}

TEST_F(DeploymentEngineTest, AShadowsDeploymentTakesNothingsPlaceAndIsCancelledByItself) {
  const std::string shadow = "shadow:arn:aws:greengrass:r:1:configuration:thing/dev1:1";
  Bench bench(directory_.path());
  bench.worker.hang_in("fetch");
  bench.engine.start();
  bench.engine.offer(job(shadow, "1.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return bench.engine.state_name() == "RESOLVED"; }));
  bench.engine.withdraw();  // there is no job, which says nothing of the shadow
  bench.engine.offer(job("a-job", "2.0.0"));
  EXPECT_EQ(bench.engine.job_id(), shadow);
  EXPECT_FALSE(bench.engine.cancel_own("another"));
  bench.worker.hang_in("");
  EXPECT_TRUE(bench.engine.cancel_own(shadow));
  ASSERT_TRUE(bench.run_until([&] {
    return !bench.engine.busy() &&
           std::ranges::find(bench.reports, "a-job SUCCEEDED SUCCESSFUL") != bench.reports.end();
  }));
  EXPECT_NE(std::ranges::find(bench.reports, shadow + " FAILED FAILED_NO_STATE_CHANGE"),
            bench.reports.end());
  // The other way round: it waits until it is offered again.
  bench.engine.offer(job("busy", "1.0.0"));
  bench.engine.offer(job(shadow + "0", "3.0.0"));
  EXPECT_EQ(bench.engine.job_id(), "busy");
}

TEST_F(DeploymentEngineTest, ANewerDeploymentTakesThePlaceOfAHangingOne) {
  Bench bench(directory_.path());
  bench.worker.hang_in("fetch");
  bench.engine.start();
  bench.engine.offer(job("old", "1.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return bench.engine.state_name() == "RESOLVED"; }));
  bench.worker.hang_in("");
  bench.engine.offer(job("new", "2.0.0"));
  ASSERT_TRUE(bench.run_until([&] {
    return !bench.reports.empty() && bench.reports.back() == "new SUCCEEDED SUCCESSFUL";
  }));
  EXPECT_EQ(bench.reports.at(1), "old FAILED FAILED_NO_STATE_CHANGE");
  EXPECT_EQ(bench.version(), "2.0.0");
}

// What a component that listens to updates or checks its configuration does over IPC.
class Listening {
 public:
  explicit Listening(Bench& bench) { bench.updates.add_to(operations_); }
  std::shared_ptr<RecordingStream> listen(const std::string& operation) {
    auto stream = std::make_shared<RecordingStream>();
    static_cast<void>(operations_.at(operation).handle({"app", operation, {}, stream}));
    return stream;
  }
  void say(const std::string& operation, const std::string& request) {
    static_cast<void>(operations_.at(operation).handle(
        {"app", operation, base::parse_json(request, "request").as_object(),
         std::make_shared<RecordingStream>()}));
  }
  void report(const std::string& deployment, const std::string& status) {
    say("SendConfigurationValidityReport",
        R"({"configurationValidityReport":{"deploymentId":")" + deployment +
            R"(","message":"too large","status":")" + status + R"("}})");
  }

 private:
  IpcOperations operations_;
};

const char* const kMerge = R"({"a":2})";
fleet::Job configured(const std::string& id) {
  fleet::Job changed = job(id, "1.0.0");
  const std::string plain = R"({"version":"1.0.0"})";
  changed.document.replace(
      changed.document.find(plain), plain.size(),
      R"({"version":"1.0.0","configurationUpdate":{"merge":)" + std::string(kMerge) + "}}");
  return changed;
}

TEST_F(DeploymentEngineTest, AComponentThatGoesOnRunningCanRefuseItsNewConfiguration) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  ASSERT_TRUE(bench.run_until([&] { return bench.version() == "1.0.0" && bench.is_settled(); }));
  Listening app(bench);
  const auto stream = app.listen("SubscribeToValidateConfigurationUpdates");
  bench.engine.offer(configured("refused"));
  ASSERT_TRUE(bench.run_until([&] { return !stream->events.empty(); }));
  EXPECT_NE(stream->events.at(0).find(R"("configuration":{"a":2},"deploymentId":"refused")"),
            std::string::npos)
      << stream->events.at(0);
  EXPECT_NE(bench.engine.progress().reason.find("app"), std::string::npos);
  app.report("refused", "REJECTED");
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "refused FAILED FAILED_NO_STATE_CHANGE");
  EXPECT_NE(bench.cause.find("too large"), std::string::npos) << bench.cause;
  ASSERT_FALSE(bench.stack.empty());
  EXPECT_EQ(bench.stack.back(), "COMPONENT_CONFIGURATION_NOT_VALID");
  EXPECT_EQ(base::to_text(*bench.configurations.find("app")), R"({"a":1})");
  bench.ended = false;
  bench.engine.offer(configured("taken"));
  ASSERT_TRUE(bench.run_until([&] { return stream->events.size() == 2; }));
  app.report("taken", "ACCEPTED");
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "taken SUCCEEDED SUCCESSFUL");
  EXPECT_EQ(base::to_text(*bench.configurations.find("app")), kMerge);
}

TEST_F(DeploymentEngineTest, AComponentThatRestartsIsNotAskedForItsConfiguration) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  ASSERT_TRUE(bench.run_until([&] { return bench.version() == "1.0.0" && bench.is_settled(); }));
  Listening app(bench);
  const auto stream = app.listen("SubscribeToValidateConfigurationUpdates");
  bench.engine.offer(job("newer", "2.0.0"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "newer SUCCEEDED SUCCESSFUL");
  EXPECT_TRUE(stream->events.empty());
}

TEST_F(DeploymentEngineTest, AnUpdateWaitsUntilItsComponentsAgreeAndTellsThemItsEnd) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  Listening app(bench);
  const auto stream = app.listen("SubscribeToComponentUpdates");
  bench.engine.offer(job("asked", "2.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return !stream->events.empty(); }));
  EXPECT_EQ(bench.engine.state_name(), "STAGED");
  app.say("DeferComponentUpdate", R"({"deploymentId":"asked","recheckAfterMs":50})");
  ASSERT_TRUE(bench.run_until([&] { return stream->events.size() == 2; }));
  EXPECT_EQ(bench.engine.state_name(), "STAGED");
  app.say("DeferComponentUpdate", R"({"deploymentId":"asked","recheckAfterMs":0})");
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "asked SUCCEEDED SUCCESSFUL");
  EXPECT_NE(stream->events.back().find("postUpdateEvent"), std::string::npos);
}

TEST_F(DeploymentEngineTest, WithSkipNotifyNobodyIsAsked) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  Listening app(bench);
  const auto stream = app.listen("SubscribeToComponentUpdates");
  bench.engine.offer(
      job("quiet", "2.0.0", R"(,"componentUpdatePolicy":{"action":"SKIP_NOTIFY_COMPONENTS"})"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "quiet SUCCEEDED SUCCESSFUL");
  EXPECT_TRUE(stream->events.empty());
}

TEST_F(DeploymentEngineTest, AnUpdateThatWaitsForItsComponentsCanBeCancelled) {
  deploy_first();
  Bench bench(directory_.path());
  bench.engine.start();
  Listening app(bench);
  const auto stream = app.listen("SubscribeToComponentUpdates");
  bench.engine.offer(job("asked", "2.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return !stream->events.empty(); }));
  bench.engine.withdraw();
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "asked FAILED FAILED_NO_STATE_CHANGE");
  ASSERT_FALSE(bench.stack.empty());
  EXPECT_EQ(bench.stack.back(), "DEPLOYMENT_INTERRUPTED");
}

TEST_F(DeploymentEngineTest, GoesOnFromEveryStateAfterACrash) {
  int number = 0;
  for (const State state : {State::received, State::resolved, State::fetched, State::verified,
                            State::staged, State::activating, State::checked}) {
    const std::string id = "job-" + std::to_string(++number);
    const std::string version = std::to_string(number) + ".0.0";
    if (version == "9.0.0") continue;
    {
      Bench bench(directory_.path(), std::string(to_string(state)));
      bench.engine.start();
      bench.engine.offer(job(id, version));
      ASSERT_TRUE(bench.run_until([&] { return bench.died; })) << to_string(state);
    }
    Bench bench(directory_.path());
    bench.engine.start();
    ASSERT_TRUE(bench.run_until_end()) << to_string(state);
    EXPECT_EQ(bench.reports, Texts{id + " SUCCEEDED SUCCESSFUL"}) << to_string(state);
    EXPECT_EQ(bench.journal.last_good().components.at(0).version, version);
  }
}

TEST_F(DeploymentEngineTest, WhatLeavesIsUninstalledAndCleanedUpAfterACrashInBetween) {
  const std::string two =
      R"({"deploymentId":"two","configurationArn":"arn:aws:greengrass:r:0:configuration:thing/dev1:1",)"
      R"("components":{"app":{"version":"1.0.0"},"old":{"version":"1.0.0"}}})";
  for (const std::string step : {"SUCCEEDED", "UNINSTALLED", "CLEANED_UP"}) {
    const base::TemporaryDirectory directory;
    const fs::path trace = Layout(directory.path()).root() / "work" / "uninstalled";
    {
      Bench bench(directory.path());
      bench.engine.start();
      bench.engine.offer({"two", 1, two});
      ASSERT_TRUE(bench.run_until([&] { return bench.worker.clean_ups() == 1; })) << step;
      ASSERT_TRUE(bench.run_until([&] { return bench.steps.back() == "CLEANED_UP"; }));
    }
    {
      Bench bench(directory.path(), step);
      bench.engine.start();
      bench.engine.offer(job("one", "1.0.0"));
      ASSERT_TRUE(bench.run_until([&] { return bench.died; })) << step;
    }
    Bench bench(directory.path());
    bench.engine.start();
    const bool is_all_done = step == "CLEANED_UP";
    ASSERT_TRUE(bench.run_until([&] {
      return is_all_done ? !bench.version().empty() && bench.is_settled()
                         : !bench.steps.empty() && bench.steps.back() == "CLEANED_UP";
    })) << step;
    EXPECT_EQ(bench.worker.clean_ups(), is_all_done ? 0 : 1) << step;
    EXPECT_EQ(base::read_file_if_exists(trace).value_or(""), "1\n") << step;
    EXPECT_TRUE(bench.journal.left().empty());
  }
}

TEST_F(DeploymentEngineTest, ItsStepsAreAllStatesAndWhatFollowsOnAnEnd) {
  const auto steps = DeploymentEngine::steps();
  EXPECT_EQ(steps.front(), "RECEIVED");
  EXPECT_EQ(steps.back(), "CLEANED_UP");
  EXPECT_EQ(steps.size(), all_deployment_states().size() + 2);
}

TEST_F(DeploymentEngineTest, AnUnknownSavedStateIsRolledBack) {
  deploy_first();
  {
    Bench bench(directory_.path());
    bench.database->write([&](store::Transaction& transaction) {
      DeploymentRecord record;
      record.job_id = "future";
      record.queued_at = 1;
      record.state_name = "RECEIVED";
      record.document = job("future", "2.0.0").document;
      EXPECT_GT(bench.journal.begin(transaction, record), 0);
      transaction.execute("UPDATE deployments SET state = 'TELEPORTING' WHERE job_id = 'future'");
    });
  }
  Bench bench(directory_.path());
  bench.engine.start();
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_NE(bench.cause.find("TELEPORTING"), std::string::npos) << bench.cause;
  EXPECT_EQ(bench.version(), "1.0.0");
}

TEST_F(DeploymentEngineTest, AStateThatKillsTheAgentThreeTimesIsGivenUp) {
  deploy_first();
  {
    Bench bench(directory_.path(), "ACTIVATING");
    bench.engine.start();
    bench.engine.offer(job("deadly", "2.0.0"));
    ASSERT_TRUE(bench.run_until([&] { return bench.died; }));
    for (int i = 0; i < 3; ++i) {
      auto record = bench.journal.unfinished();
      bench.journal.count_attempt(*record);
    }
  }
  Bench bench(directory_.path());
  bench.engine.start();
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "deadly FAILED FAILED_ROLLBACK_COMPLETE");
  EXPECT_EQ(bench.version(), "1.0.0");
}

TEST_F(DeploymentEngineTest, ADocumentThatCannotBeReadIsReportedAsSuch) {
  Bench bench(directory_.path());
  bench.engine.start();
  bench.engine.offer({"bad", 1, ""});
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "bad FAILED FAILED_NO_STATE_CHANGE");
  EXPECT_FALSE(bench.cause.empty());
}

}  // namespace
}  // namespace andon::edge
