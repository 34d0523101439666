// SPDX-License-Identifier: Apache-2.0
// Starts sandboxes, one after the other, on a thread of its own: what takes its time (credentials,
// processes) is not done by the thread that serves those that run. The keepers end with that
// thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/os/process.hpp"
#include "functions/sandboxes/order.hpp"

namespace andon::functions {

// What there is of a sandbox when its keeper runs.
struct StartedSandbox {
  base::Process keeper;
  base::UniqueFd control;  // job/keeper/served.hpp
  base::UniqueFd output;   // of the function; does not block
  base::Timestamp good_until;
};

class Starter {
 public:
  struct Options {
    fs::path directory;  // of all sandboxes
    fs::path program;    // andon-job
    SandboxSite site;
    std::function<RoleCredentials(const SandboxPlan&)> credentials;
  };
  struct Request {
    std::uint64_t id = 0;
    SandboxPlan plan;
    std::string stream;
    std::optional<uid_t> user;
    // On the starter's thread: the one or the other.
    std::function<void(StartedSandbox)> started;
    std::function<void(std::exception_ptr)> failed;
  };

  explicit Starter(Options options);
  Starter(const Starter&) = delete;
  Starter& operator=(const Starter&) = delete;
  ~Starter();  // what waits is dropped; call stop() before

  void start(Request request);
  // Every keeper must be gone: they end with the thread.
  void stop();

 private:
  [[nodiscard]] StartedSandbox begin(const Request& request) const;
  void work();

  const Options options_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::deque<Request> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace andon::functions
