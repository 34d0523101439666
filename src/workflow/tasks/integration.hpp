// SPDX-License-Identifier: Apache-2.0
// What a Task state can call, behind one interface. Integrations are handed to the engine by the
// program; the engine starts a task after the commit that scheduled it, and again after a crash
// until an answer to it is committed: an integration tells the repeated call by its idempotency
// token where it can.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "asl/definition/machine.hpp"
#include "query/document/data.hpp"

namespace andon::workflow {

namespace json = base::json;

struct TaskRequest {
  std::int64_t execution = 0;  // with `number`: one task for ever
  std::int64_t number = 0;
  std::string execution_arn;
  std::string machine_arn;
  std::string role_arn;   // of the machine: what a call may is what this role may
  std::string task_role;  // Credentials.RoleArn, taken by role_arn; empty: none
  std::string region;
  std::string state;
  asl::Resource resource;
  asl::Data parameters;
  std::string token;                   // what SendTaskSuccess answers with
  std::string idempotency_token;       // a UUID, the same at each repetition
  std::int64_t heartbeat_seconds = 0;  // signs of life are asked for; 0: not
};

// How a task answers; copies answer the same task. Any thread; ends once, later answers are
// dropped.
class TaskReply {
 public:
  enum class Kind { submitted, alive, succeeded, failed };
  using Deliver = std::function<void(Kind, asl::Data output, std::string error, std::string cause)>;
  explicit TaskReply(Deliver deliver) : deliver_(std::make_shared<Deliver>(std::move(deliver))) {}

  // A .sync or .waitForTaskToken call was accepted, with this answer; the end comes later.
  void submitted(json::value output) const {
    (*deliver_)(Kind::submitted, asl::make_data(std::move(output)), {}, {});
  }
  // A sign of life, for HeartbeatSeconds of its state; any number of times.
  void alive() const { (*deliver_)(Kind::alive, nullptr, {}, {}); }
  void succeeded(json::value output) const {
    (*deliver_)(Kind::succeeded, asl::make_data(std::move(output)), {}, {});
  }
  void failed(std::string error, std::string cause) const {
    (*deliver_)(Kind::failed, nullptr, std::move(error), std::move(cause));
  }

 private:
  std::shared_ptr<Deliver> deliver_;
};

class Integration {
 public:
  Integration() = default;
  Integration(const Integration&) = delete;
  Integration& operator=(const Integration&) = delete;
  virtual ~Integration() = default;

  // Is this one of its resources? Asked when a machine is created.
  [[nodiscard]] virtual bool has(const asl::Resource& resource) const = 0;
  // Begins the task and returns soon; what it throws fails the task. For .waitForTaskToken the
  // answer of the call is submitted(). Several threads.
  virtual void start(const TaskRequest& task, const TaskReply& reply) = 0;
  // Takes up a .sync task that had been submitted before this program was started.
  virtual void resume(const TaskRequest& task, const TaskReply& reply) { start(task, reply); }
  // The task is over without its answer: ends it if that can be done. Must not wait for that.
  virtual void cancel(const TaskRequest& /*task*/) {}
};

class Integrations {
 public:
  void add(std::shared_ptr<Integration> integration) { all_.push_back(std::move(integration)); }
  // Null where nobody has it.
  [[nodiscard]] Integration* find(const asl::Resource& resource) const;
  // Throws Refusal(InvalidDefinition) for a task of `machine` that nobody has.
  void check(const asl::StateMachine& machine) const;

 private:
  std::vector<std::shared_ptr<Integration>> all_;
};

// A task's failure as an error's name and its cause, for integrations to throw.
class TaskFailure final : public std::exception {
 public:
  TaskFailure(std::string error, std::string cause)
      : error_(std::move(error)), cause_(std::move(cause)) {}
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const std::string& cause() const { return cause_; }
  [[nodiscard]] const char* what() const noexcept override { return cause_.c_str(); }

 private:
  std::string error_;
  std::string cause_;
};

// RoleArn of a state's evaluated Credentials; empty: there are none. Credentials without it are
// given as their text, which is refused as no role's ARN.
[[nodiscard]] std::string task_role_of(const asl::Data& credentials);

// A UUID that follows from `text`: the same for the same text.
[[nodiscard]] std::string derived_uuid(std::string_view text);

}  // namespace andon::workflow
