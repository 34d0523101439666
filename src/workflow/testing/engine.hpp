// SPDX-License-Identifier: Apache-2.0
// For tests of the engine: one on a database in a temporary directory, which can be taken away as a
// crash does and made again, and an integration whose tasks the test answers.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/fake_clock.hpp"
#include "workflow/engine/workflow.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {

// "arn:aws:states:::test:call", also .sync and .waitForTaskToken.
class CallsForTest final : public Integration {
 public:
  [[nodiscard]] bool has(const asl::Resource& resource) const override {
    return resource.type == "test";
  }
  void start(const TaskRequest& task, const TaskReply& reply) override {
    const std::lock_guard lock(mutex_);
    calls_.emplace_back(task, reply);
    changed_.notify_all();
  }
  void cancel(const TaskRequest& task) override {
    const std::lock_guard lock(mutex_);
    cancelled_.push_back(task.idempotency_token);
    changed_.notify_all();
  }

  // The call number `index` so far, waited for.
  std::pair<TaskRequest, TaskReply> wait_for(std::size_t index) {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return calls_.size() > index; });
    if (!came) throw std::runtime_error("the task was not called in time");
    return calls_[index];
  }
  std::string wait_for_cancelled() {
    std::unique_lock lock(mutex_);
    const bool came =
        changed_.wait_for(lock, std::chrono::seconds(20), [&] { return !cancelled_.empty(); });
    if (!came) throw std::runtime_error("no task was cancelled in time");
    return cancelled_.front();
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<TaskRequest, TaskReply>> calls_;
  std::vector<std::string> cancelled_;
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    integrations.add(calls);
    start_engine();
  }

  void start_engine() {
    engine = std::make_unique<Workflow>(*database, integrations, nullptr, clock,
                                        WorkflowOptions{.arns = Arns(), .write_log = write_log});
    engine->run();
  }
  // Nothing is told to anybody that it ends; what is not stored is gone.
  void restart() {
    engine.reset();
    start_engine();
  }

  std::string machine(const std::string& name, const std::string& definition,
                      MachineType type = MachineType::standard) {
    NewMachine made;
    made.name = name;
    made.definition = definition;
    made.type = type;
    made.settings.role = "arn:aws:iam::000000000000:role/test";
    return engine->machines().create(made).arn;
  }
  // Throws what starting was refused with.
  std::string start(const std::string& machine_arn, const std::string& input = "{}",
                    const std::string& name = "") {
    std::promise<std::string> arn;
    engine->start({machine_arn, name, input, ""},
                  [&](const Started& started, const std::exception_ptr& failure) {
                    if (failure) {
                      arn.set_exception(failure);
                    } else {
                      arn.set_value(started.arn);
                    }
                  });
    return arn.get_future().get();
  }
  Execution wait_for_end(const std::string& arn) {
    auto ended = std::make_shared<std::promise<Execution>>();
    auto future = ended->get_future();
    engine->driver().when_ended(arn, [ended](const Execution& row) { ended->set_value(row); });
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      throw std::runtime_error("the execution did not end in time");
    }
    return future.get();
  }
  template <typename Condition>
  static void wait_until(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain";
      std::this_thread::yield();
    }
  }
  // Waits until the engine answers, and throws what it answers with.
  template <typename Call>
  static void answered(const Call& call) {
    std::promise<void> done;
    call([&](const std::exception_ptr& failure) {
      if (failure) {
        done.set_exception(failure);
      } else {
        done.set_value();
      }
    });
    done.get_future().get();
  }
  [[nodiscard]] std::vector<std::string> events(const std::string& arn) const {
    const Execution row = engine->executions().require(arn);
    std::vector<std::string> types;
    for (const auto& event : engine->executions().history(row.id, {.limit = 1000}).events) {
      types.emplace_back(event.at("type").as_string());
    }
    return types;
  }
  template <typename Call>
  static std::string refused(const Call& call) {
    try {
      call();
    } catch (const Refusal& refusal) {
      return refusal.code();
    }
    return "(not refused)";
  }

  base::TemporaryDirectory directory;
  base::FakeClock clock{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<store::Database> database = store::open_sqlite(directory.path() / "workflow.db");
  std::shared_ptr<CallsForTest> calls = std::make_shared<CallsForTest>();
  Integrations integrations;
  ExecutionLog::Write write_log;  // for the next start_engine()
  std::unique_ptr<Workflow> engine;
};

}  // namespace andon::workflow
