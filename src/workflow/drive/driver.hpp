// SPDX-License-Identifier: Apache-2.0
// Drives executions: takes what happens to them (a start, an answer, a timer, a stop), has the
// language decide, commits the step with all that follows from it, and only then carries that out
// and tells who waits. One step at a time for one execution, many executions in one commit. An
// execution that waits is rows in the database and nothing else; one that has tasks in hand is also
// an entry for each of them. After a crash run() goes on with whatever the rows say.
// Any thread. What is handed in (`Done` and the like) is called on threads of the driver and must
// not block.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "store/sql/group_commit.hpp"
#include "workflow/drive/pool.hpp"
#include "workflow/drive/timers.hpp"
#include "workflow/executions/commit.hpp"
#include "workflow/executions/executions.hpp"
#include "workflow/machines/machines.hpp"
#include "workflow/shared/arns.hpp"
#include "workflow/tasks/integration.hpp"
#include "workflow/tasks/items.hpp"

namespace andon::workflow {

struct NewExecution {
  StartTarget target;
  std::string arn;
  std::string name;
  std::string machine;  // as listed: the machine's ARN; of a map's child M/LABEL
  asl::Data input;
  std::string input_text;
  std::string trace_header;
  Parent parent;
  std::string map_run;
  std::int64_t item_count = 0;
  std::size_t flow = 0;
  std::optional<asl::MapItem> item;
  bool express = false;
};

struct Started {
  std::int64_t id = 0;
  std::string arn;
  base::Timestamp started;
};

// For the randomness of one step, from the kernel.
[[nodiscard]] std::uint64_t new_seed();

// The task that an event is about, if it is about one.
[[nodiscard]] std::optional<TaskKey> key_of(const asl::EventBody& body);

class Driver {
 public:
  using Done = std::function<void(std::exception_ptr)>;
  using StartDone = std::function<void(const Started&, std::exception_ptr)>;
  using EndDone = std::function<void(const Execution&)>;
  // Told of each commit's events, after it; of an Express execution, of each step's.
  using Observe =
      std::function<void(MachineType, const Execution&, const std::vector<asl::HistoryEvent>&)>;

  struct Parts {
    store::Database& database;
    store::GroupCommit& commits;
    Machines& machines;
    Executions& executions;
    const Integrations& integrations;
    MapStore* map_store;  // null: distributed Maps cannot read or write objects
    const base::Clock& clock;
    const Arns& arns;
  };
  struct Options {
    std::size_t threads = 2;
    std::size_t effect_threads = 4;
    std::size_t warm = 128;      // executions kept in memory between steps that follow soon
    std::size_t express = 1000;  // at a time
    bool alone = true;           // nobody else uses the database: take over all at once
    asl::StepLimits limits;
  };
  Driver(const Parts& parts, Options options);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  // Takes over what is there, and lets timers fire.
  void run();
  // Begins nothing any more, and returns when nothing is under way; what is handed in afterwards is
  // refused or dropped. The destructor does it, too.
  void stop();

  // Answers when it is durable. The same name and input, while it runs, is the same execution.
  void start(NewExecution execution, StartDone done);
  // In memory; `end` is told how it ended. Throws Refusal(ExecutionLimitExceeded).
  Started start_express(NewExecution execution, EndDone end);
  // Something has happened to an execution; without `done` it is repeated until it is committed.
  void post(std::int64_t execution, asl::EventBody body, Done done = nullptr);
  // Takes up again an execution that has ended without success. `token`: of the request; the same
  // one within a quarter of an hour is the same redrive. Refusal(ExecutionNotRedrivable).
  using RedriveDone = std::function<void(const base::Timestamp&, std::exception_ptr)>;
  void redrive(const Execution& row, asl::Redrive redrive, const std::string& token,
               RedriveDone done);
  // `told` once when it ends, at once where it has. Not for Express.
  void when_ended(const std::string& arn, EndDone told);
  // Carries out what stands in `stops`.
  void carry_out_stops(const std::vector<std::string>& arns);

  void set_observer(Observe observe) { observe_ = std::move(observe); }
  // Told when a task of this activity has been scheduled.
  void set_activity_listener(std::function<void(const std::string& arn)> listener) {
    activity_listener_ = std::move(listener);
  }
  [[nodiscard]] Timers& timers() { return timers_; }
  [[nodiscard]] Pool& pool() { return pool_; }
  // For calls of integrations, which may take their time.
  [[nodiscard]] Pool& effects() { return effects_; }

  struct Gauges {
    std::size_t live = 0;
    std::size_t in_flight = 0;
    std::size_t express = 0;
  };
  [[nodiscard]] Gauges gauges() const;

 private:
  struct Mail {
    asl::EventBody body;
    Done done;
  };
  // An execution in memory, to be stepped.
  struct Loaded {
    Execution row;
    asl::ExecutionState state;
    Compiled machine;
    std::map<TaskKey, OpenTask> open;
    std::map<std::int64_t, MapRunRow> map_runs;  // that are under way, by branch
    bool express = false;
    EndDone end;  // of an Express execution
  };
  struct Live {
    std::deque<Mail> mail;
    bool busy = false;
    std::unique_ptr<Loaded> express;
  };
  // One commit under way.
  struct Pending {
    std::unique_ptr<Loaded> loaded;
    Commit commit;
    std::vector<Mail> mail;
    std::vector<TaskKey> cancelled;
  };
  using PendingPtr = std::shared_ptr<Pending>;
  // Lets answers in that may come at any time, as long as there is a driver.
  struct Gate {
    std::shared_mutex mutex;
    Driver* driver = nullptr;
  };
  struct InFlight {
    TaskRequest request;
    Integration* integration;
    bool is_submitted = false;  // that it was is in its history
  };

  // driver.cpp
  void work(std::int64_t id);
  std::unique_ptr<Loaded> take(std::int64_t id);
  void put_back(std::unique_ptr<Loaded> loaded);
  void settle(std::int64_t id, std::vector<Mail>& mail, const std::exception_ptr& failure);
  void submit(const PendingPtr& pending);
  void committed(const PendingPtr& pending);
  void go_on(std::int64_t id);
  void step(Pending& pending, const asl::EventBody& body);
  void start_again(const std::shared_ptr<NewExecution>& execution, const StartDone& done);
  PendingPtr begin(const NewExecution& execution);
  void tell_ended(const Execution& row);
  void observe(const Loaded& loaded, const std::vector<asl::HistoryEvent>& events) const;

  // gather.cpp: a step's outcome as what is to be committed
  void gather(Pending& pending, asl::Step step);
  void end_task(Pending& pending, const TaskKey& key);
  void note_event(Pending& pending, const asl::EventBody& body);
  void note_map_runs(Pending& pending, std::size_t first_event);
  void complete(Pending& pending);

  // effects.cpp: what follows from a commit
  void carry_out(const Execution& row, const TaskRow& task);
  void carry_out_task(const Execution& row, const TaskRow& task);
  void carry_out_child(const Execution& row, const TaskRow& task);
  void carry_out_items(const Execution& row, const TaskRow& task);
  void carry_out_results(const Execution& row, const TaskRow& task);
  void answer(std::int64_t execution, std::int64_t number, TaskReply::Kind kind,
              const asl::Data& output, const std::string& error, const std::string& cause);
  void cancel(std::int64_t execution, const TaskKey& key);
  void child_ended(const Execution& child);

  // recover.cpp
  void renew_lease();
  void take_over();
  void recover(std::int64_t id, bool resumes);

  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
  Parts parts_;
  const Options options_;
  const std::string owner_;
  Observe observe_;
  std::function<void(const std::string&)> activity_listener_;

  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<std::int64_t, Live> live_;
  std::list<std::unique_ptr<Loaded>> warm_;  // newest first
  std::map<std::pair<std::int64_t, TaskKey>, InFlight> in_flight_;
  std::unordered_map<std::string, std::vector<EndDone>> waiting_for_end_;
  std::unordered_map<std::string, std::int64_t> express_;  // by ARN
  bool has_looked_ = false;                                // for what a crash has left
  bool stopping_ = false;

  Timers timers_;
  Pool effects_;
  Pool pool_;  // last: its work uses all of the above
};

}  // namespace andon::workflow
