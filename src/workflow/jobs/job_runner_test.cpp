// SPDX-License-Identifier: Apache-2.0
// With the real keeper and sandbox; what a crash does is done by taking a runner away.
#include "workflow/jobs/job_runner.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <fstream>

#include "base/error/error.hpp"
#include "base/text/id.hpp"

namespace andon::workflow {
namespace {

using job::JobDirectory;
using job::JobEnd;
namespace fs = job::fs;

class JobRunnerTest : public testing::Test {
 protected:
  JobRunnerTest() { start_runner(); }

  void start_runner() {
    runner_ = std::make_unique<JobRunner>(
        JobRunnerOptions{.directory = parent_.path() / "jobs",
                         .program = fs::read_symlink("/proc/self/exe").parent_path() / "andon-job",
                         .most_at_once = 2,
                         .write_line = [this](const job::JobOrder& order, std::string line) {
                           const std::lock_guard lock(mutex_);
                           lines_[order.id].push_back(std::move(line));
                         }});
    runner_->run([this](const job::JobOrder&) { return standing_.load(); });
  }

  struct Outcome {
    std::optional<job::JobResult> result;
    std::string failure;
  };
  // Answers with the job's id.
  std::string order(const std::string& script, std::string id = base::random_uuid()) {
    job::JobOrder wanted;
    wanted.id = id;
    wanted.command = {.arguments = {"sh", "-c", script},
                      .environment = {{"PATH", "/usr/bin:/bin"}}};
    wanted.rules.limits.memory_bytes = 1U << 30U;
    JobRunner::Watcher watcher;
    watcher.prepare = [this](const JobDirectory& directory) {
      ++prepared_;
      if (!trouble_.empty()) throw base::Error(base::ErrorCode::resource_exhausted, trouble_);
      std::ofstream(directory.work() / "input") << "given";
    };
    watcher.alive = [this] { ++signs_; };
    watcher.failed = [this, id](const std::exception_ptr& failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        tell(id, {.result = {}, .failure = error.what()});
      }
    };
    watcher.ended = [this, id](const JobDirectory&, const std::optional<job::JobResult>& result) {
      tell(id, {.result = result, .failure = {}});
    };
    runner_->order(std::move(wanted), std::move(watcher));
    return id;
  }
  void tell(const std::string& id, const Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    outcomes_[id].push_back(outcome);
  }
  [[nodiscard]] std::size_t told(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return outcomes_[id].size();
  }
  Outcome wait_for(const std::string& id) {
    wait_until([&] { return told(id) > 0; });
    const std::lock_guard lock(mutex_);
    return outcomes_[id].empty() ? Outcome{} : outcomes_[id].back();
  }
  template <typename Condition>
  static void wait_until(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  [[nodiscard]] std::string log(const std::string& id) const {
    const auto found = runner_->log(id, 0, 1U << 20U);
    return found ? found->part.bytes : "(none)";
  }
  [[nodiscard]] JobDirectory directory(const std::string& id) const {
    return JobDirectory(parent_.path() / "jobs" / id);
  }
  base::TemporaryDirectory parent_{"/var/tmp"};
  std::atomic<JobRunner::Standing> standing_{JobRunner::Standing::open};
  std::atomic<int> prepared_{0};
  std::atomic<int> signs_{0};
  std::string trouble_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Outcome>> outcomes_;
  std::map<std::string, std::vector<std::string>> lines_;
  std::unique_ptr<JobRunner> runner_;
};

TEST_F(JobRunnerTest, AJobHasItsInputsRunsAndIsTold) {
  const std::string id = order("cat input; exit 3");
  const Outcome outcome = wait_for(id);
  ASSERT_TRUE(outcome.result) << outcome.failure;
  EXPECT_EQ(outcome.result->end, JobEnd::exited);
  EXPECT_EQ(outcome.result->code, 3);
  EXPECT_EQ(log(id), "given");
  EXPECT_TRUE(runner_->log(id, 0, 10)->has_ended);
}

TEST_F(JobRunnerTest, WhatItWritesIsPassedOnLineByLine) {
  const std::string id =
      order("echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; printf three");
  const auto lines = [&] {
    const std::lock_guard lock(mutex_);
    return lines_[id];
  };
  wait_until([&] { return lines() == std::vector<std::string>{"one"}; });
  std::ofstream(directory(id).work() / "go") << "";
  wait_for(id);
  EXPECT_THAT(lines(), testing::ElementsAre("one", "two", "three"));
}

TEST_F(JobRunnerTest, TheSameIdIsTheSameJob) {
  const std::string id = order("echo begun; while [ ! -e go ]; do sleep 0.05; done");
  wait_until([&] { return log(id) == "begun\n"; });
  order("echo another", id);
  std::ofstream(directory(id).work() / "go") << "";
  wait_for(id);
  order("echo another", id);
  wait_until([&] { return told(id) == 2; });  // how it ended is told again
  EXPECT_EQ(prepared_, 1);
  EXPECT_EQ(log(id), "begun\n");
}

TEST_F(JobRunnerTest, WhatCannotBePreparedIsToldAndLeavesRoom) {
  trouble_ = "no room";
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(wait_for(order("true")).failure, "no room");
  }
  trouble_.clear();
  EXPECT_TRUE(wait_for(order("true")).result);
  wait_until([&] { return runner_->gauges().running == 0; });
}

TEST_F(JobRunnerTest, SoManyRunAtOnceAndOneThatWaitsCanBeTakenBack) {
  const std::string gate = "echo on; while [ ! -e go ]; do sleep 0.05; done";
  const std::string first = order(gate);
  const std::string second = order(gate);
  const std::string third = order(gate);
  const std::string fourth = order(gate);
  wait_until([&] { return log(first) == "on\n" && log(second) == "on\n"; });
  EXPECT_EQ(runner_->gauges().waiting, 2U);
  runner_->end(third);
  EXPECT_EQ(runner_->gauges().waiting, 1U);
  std::ofstream(directory(first).work() / "go") << "";
  wait_until([&] { return log(fourth) == "on\n"; });
  EXPECT_EQ(told(third), 0U);
  for (const std::string& id : {second, fourth}) {
    runner_->end(id);
    EXPECT_EQ(wait_for(id).result->end, JobEnd::stopped);
  }
}

TEST_F(JobRunnerTest, OneThatIsLostIsToldWithoutAResult) {
  const std::string id = order("echo on; sleep 1000");
  wait_until([&] { return log(id) == "on\n"; });
  const base::UniqueFd keeper = directory(id).keeper();
  ASSERT_EQ(syscall(SYS_pidfd_send_signal, keeper.get(), SIGKILL, nullptr, 0), 0);
  const Outcome outcome = wait_for(id);
  EXPECT_FALSE(outcome.result);
  EXPECT_EQ(outcome.failure, "");
}

TEST_F(JobRunnerTest, ASignOfLifeIsToldWhileItRuns) {
  const std::string id = order("while [ ! -e go ]; do sleep 0.2; touch .heartbeat; done");
  wait_until([&] { return signs_ >= 2; });
  std::ofstream(directory(id).work() / "go") << "";
  wait_for(id);
}

TEST_F(JobRunnerTest, WhatIsLeftRunningGoesOnForTheNextRunner) {
  const std::string id = order("echo begun; while [ ! -e go ]; do sleep 0.1; done; echo over");
  wait_until([&] { return log(id) == "begun\n"; });
  runner_->leave_running();
  runner_->stop();
  EXPECT_TRUE(directory(id).has_keeper());
  start_runner();
  EXPECT_EQ(log(id), "begun\n");
  std::ofstream(directory(id).work() / "go") << "";
  wait_until([&] { return log(id) == "begun\nover\n"; });
}

TEST_F(JobRunnerTest, WhatNobodyWaitsForIsEndedAndRemovedByTheNextRunner) {
  const std::string running = order("echo on; sleep 1000");
  wait_until([&] { return log(running) == "on\n"; });
  const std::string ended = order("echo over");
  wait_for(ended);
  wait_until([&] { return !directory(ended).has_keeper(); });
  runner_->stop();
  wait_until([&] { return !directory(running).has_keeper(); });
  standing_ = JobRunner::Standing::over;
  start_runner();
  wait_until([&] {
    return !fs::exists(directory(running).work()) && !fs::exists(directory(ended).work());
  });
  EXPECT_EQ(log(ended), "over\n");  // stays as long as its execution
  standing_ = JobRunner::Standing::forgotten;
  start_runner();
  wait_until([&] { return fs::is_empty(parent_.path() / "jobs"); });
}

TEST_F(JobRunnerTest, AnIdLeadsNowhereElse) {
  std::ofstream(parent_.path() / "order.json") << "{}";
  for (const char* id : {"..", "../jobs", "/etc", "", "x"}) {
    EXPECT_FALSE(runner_->log(id, 0, 10)) << id;
    EXPECT_THROW((void)order("true", id), base::Error) << id;
  }
}

}  // namespace
}  // namespace andon::workflow
