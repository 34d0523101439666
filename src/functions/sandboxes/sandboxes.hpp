// SPDX-License-Identifier: Apache-2.0
// All sandboxes of functions: gives a call to one that is warm, or starts one, and ends those that
// have been idle for long. A call that finds no room is throttled at once. One thread serves all of
// them; any thread may call. All sandboxes end with this, and with the program; what an earlier
// program left of its directories is removed at the start.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "functions/sandboxes/instance.hpp"
#include "functions/sandboxes/starter.hpp"

namespace andon::functions {

struct SandboxOptions {
  fs::path directory;  // of all sandboxes; made if absent
  fs::path program;    // andon-job
  SandboxSite site;    // but for its runtime, which is made below the directory
  std::string ca_pem;  // of the operator API, where that has TLS
  std::size_t most = 64;
  std::chrono::seconds keep_idle{300};
  uid_t first_user = 60'578;  // as root each sandbox has a user of its own, from this one on
  std::function<RoleCredentials(const SandboxPlan&)> credentials;
  // It must not wait, and not throw.
  std::function<void(const std::string& group, const std::string& stream, base::Timestamp time,
                     std::string line)>
      write_line;
};

class Sandboxes {
 public:
  Sandboxes(SandboxOptions options, const base::Clock& clock);
  Sandboxes(const Sandboxes&) = delete;
  Sandboxes& operator=(const Sandboxes&) = delete;
  ~Sandboxes();

  void call(SandboxPlan plan, Call call);
  // Idle ones of the function end now, the others with their calls; for a function that is gone.
  void retire(const std::string& function);
  // Every sandbox ends; calls under way are refused.
  void stop();

  struct Gauges {
    std::size_t sandboxes = 0;
    std::size_t calls = 0;
    std::uint64_t cold_starts = 0;
  };
  [[nodiscard]] Gauges gauges() const;

 private:
  using Work = std::function<void()>;
  void post(Work work);
  void run();
  void watch(std::uint64_t id, Instance::Source source, int fd) const;
  void dispatch(SandboxPlan plan, Call call);
  void begin(SandboxPlan plan, Call call);
  void after_events();
  [[nodiscard]] std::optional<uid_t> free_user() const;
  [[nodiscard]] std::string new_stream(const SandboxPlan& plan) const;
  [[nodiscard]] int time_to_wait();

  SandboxOptions options_;
  const base::Clock& clock_;
  base::UniqueFd epoll_;
  base::UniqueFd wake_;

  mutable std::mutex mutex_;  // guards what follows
  std::deque<Work> posted_;
  bool stopping_ = false;
  Gauges gauges_;

  // Of the thread alone.
  std::map<std::uint64_t, std::unique_ptr<Instance>> instances_;
  std::map<std::string, std::int64_t> in_flight_;  // by function
  std::uint64_t last_id_ = 0;
  std::uint64_t cold_starts_ = 0;

  std::unique_ptr<Starter> starter_;
  std::thread thread_;
};

}  // namespace andon::functions
