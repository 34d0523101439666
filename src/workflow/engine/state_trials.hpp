// SPDX-License-Identifier: Apache-2.0
// TestState: one state run by itself, against what tasks can call or against a mock. In memory: a
// crash takes it, nothing of it is stored. At most 100 at once, each for five minutes at most;
// waiting holds no thread. Any thread; who asked is told once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "asl/local/state_trial.hpp"
#include "workflow/drive/driver.hpp"

namespace andon::workflow {

// In the terms of AWS's request.
struct TestState {
  struct Mock {
    std::optional<std::string> result;
    std::optional<asl::Failure> error;
  };
  std::string definition;
  std::string state_name;
  std::string role;
  std::optional<std::string> input;
  std::optional<std::string> variables;
  std::optional<std::string> context;
  std::optional<Mock> mock;
  bool reveals_secrets = false;
  std::int64_t retries = 0;
  std::optional<std::int64_t> failed_iterations;
  std::optional<std::string> item_reader_data;
};

class StateTrials {
 public:
  using Told = std::function<void(const asl::StateTrialOutcome&, std::exception_ptr)>;

  // All outlive this.
  StateTrials(Driver& driver, const Integrations& integrations, const Arns& arns,
              const base::Clock& clock);
  StateTrials(const StateTrials&) = delete;
  StateTrials& operator=(const StateTrials&) = delete;
  ~StateTrials();

  // Throws Refusal for what is wrong with the request.
  void start(const TestState& request, Told told);
  // Who waits is told that the server is ending; nothing is begun any more.
  void stop();

 private:
  struct Run;
  struct Gate;
  using RunPtr = std::shared_ptr<Run>;

  [[nodiscard]] RunPtr make(const TestState& request) const;
  void begin(const RunPtr& run);
  void report(const RunPtr& run, asl::EventBody body);
  void carry_out(const RunPtr& run, const std::vector<asl::Decision>& decisions);
  void start_task(const RunPtr& run, const asl::ScheduleTask& task);
  void end(const RunPtr& run, const asl::StateTrialOutcome& outcome,
           const std::exception_ptr& failure);
  void over_time(const RunPtr& run);
  static void cancel_call(const RunPtr& run);
  // On a thread of the pool, while there is somebody to do it.
  void at(base::Timestamp due, std::function<void(StateTrials&)> work);

  const std::shared_ptr<Gate> gate_;
  Driver& driver_;
  const Integrations& integrations_;
  const Arns& arns_;
  const base::Clock& clock_;
};

}  // namespace andon::workflow
