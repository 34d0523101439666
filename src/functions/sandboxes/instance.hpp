// SPDX-License-Identifier: Apache-2.0
// One sandbox of a function, from its start to its end: speaks the Lambda runtime API with the
// function, gives it one call at a time, watches the time, and knows what its keeper says. All of
// it on the sandboxes' thread, which calls it when one of its descriptors is readable; nothing
// waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "functions/sandboxes/output_lines.hpp"
#include "functions/sandboxes/plan.hpp"
#include "functions/sandboxes/starter.hpp"
#include "job/order/order.hpp"
#include "wire/local/local_http_server.hpp"

namespace andon::functions {

class Instance {
 public:
  using Instant = std::chrono::steady_clock::time_point;
  enum class Source : std::uint8_t { control, output, requests, keeper };
  struct Site {
    const base::Clock& clock;
    std::function<void(const std::string& group, const std::string& stream, base::Timestamp time,
                       std::string line)>
        write_line;
    // From now on the owner calls handle() when it is readable; closing it ends that.
    std::function<void(Source source, int fd)> watch;
  };

  // It has a call from the beginning.
  Instance(std::uint64_t id, SandboxPlan plan, std::string stream, std::optional<uid_t> user,
           Site site, Call call);

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] const SandboxPlan& plan() const { return plan_; }
  [[nodiscard]] const std::string& stream() const { return stream_; }
  [[nodiscard]] std::optional<uid_t> user() const { return user_; }

  void started(StartedSandbox sandbox);
  void not_started(const std::string& why);
  void handle(Source source);
  // Ends calls that take too long; gives when to look again.
  [[nodiscard]] std::optional<Instant> look_at_time(Instant now);

  // Has no call, and has begun.
  [[nodiscard]] bool is_idle() const;
  // Its keys are good for as long as a call may take.
  [[nodiscard]] bool is_good_for_a_call() const;
  [[nodiscard]] Instant idle_since() const { return idle_since_; }
  void give(Call call);
  // Takes the call from one that has ended before it began: another sandbox may do it.
  [[nodiscard]] std::optional<Call> take_untouched_call();

  // Everything of it ends. The keeper removes its files, and then is gone.
  void end();
  [[nodiscard]] bool is_ending() const { return phase_ == Phase::ending; }
  [[nodiscard]] bool is_gone();

 private:
  enum class Phase : std::uint8_t { starting, initialising, serving, ending };

  void hear_keeper();
  void read_output();
  void answer(const wire::LocalHttpRequest& request, const wire::LocalHttpServer::Reply& reply);
  void deliver();
  void finish(CallEnd::Kind kind, std::string payload, const std::string& text = {});
  void fail(const std::string& type, const std::string& message);
  void fail_after(const job::JobResult& result);
  void tell_keeper(char word) const;

  const std::uint64_t id_;
  const SandboxPlan plan_;
  const std::string stream_;
  const std::optional<uid_t> user_;
  const Site site_;
  OutputLines lines_;
  Phase phase_ = Phase::starting;
  bool is_start_known_ = false;
  std::optional<base::Process> keeper_;
  base::UniqueFd control_;
  base::UniqueFd output_;
  base::Timestamp good_until_;
  std::unique_ptr<wire::LocalHttpServer> requests_;
  wire::LocalHttpServer::Reply next_;  // of a request for the next call that waits
  std::optional<Call> call_;
  bool is_delivered_ = false;
  bool was_initialised_ = false;
  Instant begun_;      // of the sandbox
  Instant delivered_;  // of the call
  std::optional<Instant> deadline_;
  Instant idle_since_;
  std::optional<std::chrono::milliseconds> init_took_;  // to be reported
  std::uint64_t memory_ = 0;                            // most that was seen
};

}  // namespace andon::functions
