// SPDX-License-Identifier: Apache-2.0
// Deployments with real components and a worker that does as it is told. An "agent" that is
// destroyed in the middle of a deployment stands for one that was killed: nothing is said to it.
#include "edge/deployment_engine.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "base/error.hpp"
#include "edge/state_database.hpp"

namespace andon::edge {
namespace {

using std::chrono::milliseconds;
using State = DeploymentState;

constexpr milliseconds kLimit{20'000};

std::string recipe_text(const std::string& version, const std::string& run) {
  return R"({"RecipeFormatVersion":"2020-01-25","ComponentName":"app","ComponentVersion":")" +
         version + R"(","ComponentConfiguration":{"DefaultConfiguration":{"a":1}},)" +
         R"("Manifests":[{"Platform":{"os":"linux"},"Lifecycle":{"run":")" + run + R"("}}]})";
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
      component.recipe =
          recipe_text(wanted.version, wanted.version == "9.0.0" ? "exit 3" : "exec sleep 1000");
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
  void stage(const InstalledSet&, const InstalledSet&, const Cancellation& cancellation) override {
    step("stage", cancellation);
  }
  void clean_up(const InstalledSet&) override {}

  std::string fails_in;
  std::string hangs_in;

 private:
  void step(const std::string& name, const Cancellation& cancellation) const {
    if (name == hangs_in) cancellation.wait(kLimit);
    if (name == fails_in) {
      throw DeploymentFailure(base::ErrorCode::data_corrupted, "as told", {"IO_ERROR"},
                              {"DEVICE_ERROR"});
    }
  }
};

DeviceConfig device() {
  DeviceConfig config;
  config.thing_name = "dev1";
  config.mqtt = {"localhost", 1};
  config.data_plane = {"localhost", 2};
  return config;
}

// Everything of an agent but the network.
struct Bench {
  explicit Bench(const fs::path& root, std::optional<State> dies_after = {})
      : layout(root), dies_after_(dies_after) {
    layout.make();
  }

  void report(const std::string& job, const JobStatus& status) {
    reports.push_back(job + ' ' + status.status + ' ' + status.detailed_status);
    cause = status.failure_cause;
  }
  bool run_until(const std::function<bool()>& done) { return loop.run_until(done, kLimit); }
  bool run_until_end() {
    return run_until([this] { return died || ended; });
  }
  std::string version() const {
    const Component* component = std::as_const(supervisor).find("app");
    return component == nullptr ? "" : component->spec().version;
  }

  Layout layout;
  std::optional<State> dies_after_;
  bool died = false;
  bool ended = false;
  std::vector<std::string> reports;
  std::string cause;
  base::SystemClock clock;
  EventLoop loop;
  DeviceConfig config = device();
  std::unique_ptr<store::Database> database = open_state_database(layout.database());
  ConfigurationStore configurations{*database, clock};
  ComponentTokens tokens;
  ProcessJournal processes{layout.processes()};
  AgentHost host{config, layout, *database, configurations, tokens};
  Supervisor supervisor{loop, processes, host, [](const std::string&) {}};
  DeploymentJournal journal{*database, clock};
  ScriptedWorker worker;
  DeploymentEngine engine{
      {loop, journal, worker, configurations, host, supervisor, clock},
      {[this](auto&, const std::string& job, const JobStatus& status) { report(job, status); },
       [] {}, [this](const DeploymentOutcome&) { ended = true; },
       [this](State state) {
         if (state != dies_after_) return;
         died = true;
         engine.halt();
       }}};
};

Job job(const std::string& id, const std::string& version, const std::string& more = "") {
  return {id, 1, "QUEUED",
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

TEST_F(DeploymentEngineTest, AFailureBeforeActivationTouchesNothing) {
  deploy_first();
  for (const char* step : {"resolve", "fetch", "verify", "stage"}) {
    Bench bench(directory_.path());
    bench.worker.fails_in = step;
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
  bench.worker.hangs_in = "fetch";
  bench.engine.start();
  bench.engine.offer(job("hangs", "1.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return bench.engine.state_name() == "RESOLVED"; }));
  bench.engine.withdraw();
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "hangs FAILED FAILED_NO_STATE_CHANGE");
  bench.worker.hangs_in.clear();
  bench.ended = false;
  bench.engine.offer(job("next", "1.0.0"));
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "next SUCCEEDED SUCCESSFUL");
}

TEST_F(DeploymentEngineTest, ANewerDeploymentTakesThePlaceOfAHangingOne) {
  Bench bench(directory_.path());
  bench.worker.hangs_in = "fetch";
  bench.engine.start();
  bench.engine.offer(job("old", "1.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return bench.engine.state_name() == "RESOLVED"; }));
  bench.worker.hangs_in = "";
  bench.engine.offer(job("new", "2.0.0"));
  ASSERT_TRUE(bench.run_until([&] { return bench.reports.back() == "new SUCCEEDED SUCCESSFUL"; }));
  EXPECT_EQ(bench.reports.at(1), "old FAILED FAILED_NO_STATE_CHANGE");
  EXPECT_EQ(bench.version(), "2.0.0");
}

TEST_F(DeploymentEngineTest, GoesOnFromEveryStateAfterACrash) {
  int number = 0;
  for (const State state : {State::received, State::resolved, State::fetched, State::verified,
                            State::staged, State::activating, State::checked}) {
    const std::string id = "job-" + std::to_string(++number);
    const std::string version = std::to_string(number) + ".0.0";
    if (version == "9.0.0") continue;
    {
      Bench bench(directory_.path(), state);
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

TEST_F(DeploymentEngineTest, AnUnknownSavedStateIsRolledBack) {
  deploy_first();
  {
    Bench bench(directory_.path());
    DeploymentRecord record = bench.journal.begin("future", 1, job("future", "2.0.0").document);
    bench.database->write([](store::Transaction& transaction) {
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
    Bench bench(directory_.path(), State::activating);
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
  bench.engine.offer({"bad", 1, "QUEUED", ""});
  ASSERT_TRUE(bench.run_until_end());
  EXPECT_EQ(bench.reports.back(), "bad FAILED FAILED_NO_STATE_CHANGE");
  EXPECT_FALSE(bench.cause.empty());
}

}  // namespace
}  // namespace andon::edge
