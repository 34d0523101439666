// SPDX-License-Identifier: Apache-2.0
// Jobs on this machine: commands that tasks of state machines run, each in a sandbox and a
// directory of its own, kept by a process of its own (andon-job). So many at once, the others in
// order of their coming. A job outlives this program's crash: whoever orders it again, by its id,
// finds it running, or finds how it ended, or is told that it is lost. What no task waits for any
// more is ended, and its files are removed. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "job/keeper/keeper.hpp"
#include "job/order/log.hpp"
#include "workflow/drive/pool.hpp"

namespace andon::workflow {

struct JobRunnerOptions {
  job::fs::path directory;  // of all jobs; made if absent
  job::fs::path program;    // andon-job
  std::size_t most_at_once = 8;
  // As root each job that runs has a user of its own, from this one on.
  uid_t first_user = 60'706;
  // Takes what jobs write, line by line as it comes, on threads of the runner; it must not throw.
  // Null: it is kept in their directories only.
  std::function<void(const job::JobOrder&, std::string line)> write_line;
};

class JobRunner {
 public:
  // Who ordered a job. All are called on threads of the runner and may take their time.
  struct Watcher {
    // Puts into the job's directories what it needs; what it throws is told to `failed`.
    std::function<void(const job::JobDirectory&)> prepare;
    std::function<void()> alive;  // it gave a sign of life; at most once a second
    // Nothing: it is lost. What it throws is told to `failed`.
    std::function<void(const job::JobDirectory&, const std::optional<job::JobResult>&)> ended;
    std::function<void(std::exception_ptr)> failed;
    // It was ended before it began. May be null.
    std::function<void()> dropped = {};
  };
  enum class Standing { open, over, forgotten };
  // Does the task that ordered it still wait; is its execution known at all?
  using Ask = std::function<Standing(const job::JobOrder&)>;

  explicit JobRunner(JobRunnerOptions options);
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;
  ~JobRunner();

  // Looks for jobs that an earlier program has left running, and begins.
  void run(Ask ask);
  // Ends every job, or none after leave_running(); nothing is begun or told any more.
  void stop();
  // Those that run go on after stop(), and the next program finds them.
  void leave_running();

  // When it returns the job is ordered for ever, but may wait. The same id again is the same job.
  void order(job::JobOrder order, Watcher watcher);
  void end(const std::string& id);
  // Nothing for a job that is not here.
  struct Log {
    job::LogPart part;
    bool has_ended = false;
  };
  [[nodiscard]] std::optional<Log> log(const std::string& id, std::uint64_t from,
                                       std::size_t most) const;
  struct Gauges {
    std::size_t waiting = 0;
    std::size_t running = 0;
  };
  [[nodiscard]] Gauges gauges() const;

 private:
  enum class Phase { waiting, beginning, running, ending };
  struct Job {
    job::JobOrder order;
    Watcher watcher;
    Phase phase = Phase::waiting;
    base::UniqueFd keeper;
    bool is_to_end = false;
    std::uint64_t written = 0;  // of its log, when it was looked at last
    std::int64_t beat = 0;
    // Of the watching thread while it runs, of who finishes it afterwards.
    std::shared_ptr<job::LogFollower> follower;
  };

  [[nodiscard]] job::JobDirectory directory(const std::string& id) const;
  void find_running();
  void begin_more();  // with the mutex
  void begin(const std::string& id);
  void finish(const std::string& id);
  void tell_failure(const std::string& id, const std::exception_ptr& failure);
  void tell_dropped(const Watcher& watcher);  // with the mutex
  void forget(const std::string& id);
  [[nodiscard]] uid_t free_user() const;  // with the mutex
  void watch();
  void look_for_life();
  void pass_on(const job::JobOrder& order, job::LogFollower& follower,
               job::LogFollower::Job job) const;
  void sweep();
  void wake() const;

  const JobRunnerOptions options_;
  Ask ask_;
  base::UniqueFd wake_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, Job> jobs_;
  std::deque<std::string> waiting_;
  bool stopping_ = false;
  bool leaves_running_ = false;

  Pool hands_;  // what takes its time: copies, starts, ends
  std::thread thread_;
};

}  // namespace andon::workflow
