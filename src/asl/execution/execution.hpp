// SPDX-License-Identifier: Apache-2.0
// The state of one execution: all that the language needs to go on, owned by whoever runs it, and
// storable as what steps changed.
//
// How a host keeps executions. An execution is a set of records, key -> JSON text:
//
//   begin/                  what never changes: names, ARNs, when it started; its input if short
//   begin/input/            its input, begin/item/ its Map item, where they are longer than 1 KiB
//   now/                    status, counters, which branches can go on; how it ended
//   branch/<id>/            one for each living branch: main flow (0 until a redrive gives it
//   another
//                           number), Parallel branch, iteration
//   branch/<id>/data/<n>/   an input, variable, ... longer than 1 KiB; never rewritten
//   branch/<id>/items/<n>/  of a Map state under way: kItemsInPage items, never rewritten when full
//   branch/<id>/outcome/<n>/  of a Map or Parallel under way: how child <n> ended
//
// so that a step costs what it touches, however large the execution is.
//
//   Step step = start(machine, first);                      // or
//   Step step = asl::step(machine, load_execution(source), event);      // cold, or
//   Step step = asl::step(machine, std::move(step.state), event);       // warm
//   const Changes changes = step.state.take_changes();
//   // in ONE transaction: changes, step.history, the decisions (an outbox)
//   step.state.attach(source);                               // to keep it warm, in bounded memory
//
// - `load_execution` reads begin/ and now/; a step then reads the branches that its event concerns.
// - `take_changes` gives what is different since it was last asked; several steps may go into one.
//   Apply `erase` before `put`. From then on `source` must answer with them (it reads in the same
//   transaction, or through what is not committed yet).
// - If a step throws, or the commit fails, drop the state and load it again: the records are as
//   before, and the same event gives the same again.
// - Without `attach` everything stays in memory and nothing is ever read.
// - When the execution has ended, `erase` has taken all branches; begin/ and now/ stay until the
//   host drops them (a key prefix of "" is all).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "asl/data/context.hpp"
#include "asl/data/data.hpp"
#include "asl/data/held.hpp"
#include "asl/data/scope.hpp"
#include "asl/execution/map_items.hpp"
#include "base/time/time.hpp"

namespace andon::asl {

enum class Status : std::uint8_t { running, succeeded, failed, timed_out, aborted };
[[nodiscard]] std::string_view to_string(Status status);  // "SUCCEEDED"

// Where the work of a branch stands.
enum class Phase : std::uint8_t {
  entering,          // a state is about to be entered
  retrying,          // the same state is about to be run again
  waiting,           // for a timer: a Wait state
  waiting_retry,     // for a timer: between two attempts
  working,           // for a task
  joining,           // for branches or iterations
  reading_items,     // for an ItemReader
  running_children,  // a distributed Map's child executions
  writing_results,   // for a ResultWriter
};

// How one branch, iteration or child execution ended.
struct Outcome {
  Status status = Status::running;  // running: of a child with a batch of items
  Data output;                      // of one that succeeded
  std::string error;
  std::string cause;
  std::int64_t items = 1;  // in its batch
};

// What a Parallel or Map state waits for.
struct Fork {
  Held request;  // of a Parallel: what each branch was given
  MapItems items;
  std::int64_t count = 0;  // of branches or items
  std::int64_t next = 0;   // the first index that has not been started
  std::int64_t running = 0;
  std::int64_t concurrency = 0;
  std::vector<std::int64_t> branches;  // that are under way; not of a distributed Map
  // Those in memory: all, or those that are in no record yet.
  std::map<std::int64_t, Outcome> outcomes;
  // Of a distributed Map:
  std::string map_run;
  std::string source;
  std::int64_t failed = 0;
  std::int64_t failed_items = 0;
  std::optional<std::int64_t> tolerated_count;
  std::optional<double> tolerated_percentage;
  std::int64_t batch_items = 0;  // most items of a child; 0: each has one, without a list
  std::int64_t batch_bytes = 0;
  std::int64_t next_item = 0;  // the first item of the next batch

  bool stored = false;              // has records of its own
  std::set<std::int64_t> unstored;  // of `outcomes`: in no record yet

  [[nodiscard]] bool all_started() const {
    return batch_items > 0 ? next_item >= count : next >= count;
  }
};

// One thread of states: the main one, a branch of a Parallel, an iteration of a Map.
struct Branch {
  std::int64_t id = 0;
  std::int64_t parent = -1;
  std::int64_t index = 0;  // among its parent's branches or items
  std::size_t flow = 0;
  std::string state;
  Phase phase = Phase::entering;
  Held input;  // of the state, before InputPath
  Variables variables;
  std::int64_t variable_bytes = 0;  // of their JSON text
  std::optional<MapItem> item;
  std::int64_t previous_event = 0;
  std::int64_t entered_event = 0;
  base::Timestamp entered_at;
  std::vector<std::int64_t> attempts;  // made by each retrier
  std::int64_t retry_count = 0;
  std::string task_token;
  std::int64_t task = 0;  // 0: none
  bool task_started = false;
  std::int64_t timer = 0;    // Wait or retry
  std::int64_t timeout = 0;  // timers of the task
  std::int64_t heartbeat = 0;
  std::int64_t heartbeat_seconds = 0;
  std::optional<Fork> fork;

  std::int64_t next_document = 0;
  std::set<std::string> documents;  // its own data records
  bool fork_stored = false;         // there are records of a fork, this one or one before
};

struct Changes {
  std::vector<std::string> erase;  // each with all keys that begin with it
  std::vector<std::pair<std::string, std::string>> put;

  [[nodiscard]] bool empty() const { return erase.empty() && put.empty(); }
};

class ExecutionState {
 public:
  // Fixed at the start.
  std::string arn;
  std::string name;
  std::string role_arn;
  std::string machine_arn;
  std::string machine_name;
  std::string region = "us-east-1";
  base::Timestamp started_at;
  Held input;
  std::size_t flow = 0;         // of a distributed Map's child: its processor
  std::optional<MapItem> item;  // of such a child

  Status status = Status::running;
  Data output;
  std::optional<std::string> error;
  std::optional<std::string> cause;
  std::deque<std::int64_t> ready;  // branches that can go on
  std::int64_t main_branch = 0;    // that of the main flow
  std::int64_t next_event = 1;
  std::int64_t execution_timer = 0;
  std::int64_t variable_bytes = 0;  // of all branches
  std::int64_t redrive_count = 0;
  std::optional<base::Timestamp> redriven_at;

  // What is different since the last call. See above.
  [[nodiscard]] Changes take_changes();
  // Where the records are that take_changes gave out; null: nowhere.
  void attach(std::shared_ptr<const RecordSource> source);

  // ---- for the engine. References stay good until the branch is erased.
  // Null where there is no such branch (any more).
  [[nodiscard]] const Branch* find(std::int64_t id) const;
  // The same, to be changed.
  [[nodiscard]] Branch* change(std::int64_t id);
  Branch& add_branch();
  void erase_branch(std::int64_t id);
  void erase_all_branches();
  // A number for a task or timer of `branch`, growing over the whole execution.
  [[nodiscard]] std::int64_t new_number(std::int64_t branch);
  // The branch that a number was given to.
  [[nodiscard]] static std::int64_t owner_of(std::int64_t number);
  // Of child `index` of the fork of `branch`. Nothing where none has been set.
  [[nodiscard]] std::optional<Outcome> outcome(const Branch& branch, std::int64_t index) const;
  static void set_outcome(Fork& fork, std::int64_t index, Outcome outcome);

 private:
  friend class RecordWriter;
  friend ExecutionState load_execution(std::shared_ptr<const RecordSource> source);

  std::int64_t next_branch_ = 0;
  std::int64_t next_number_ = 1;
  mutable std::map<std::int64_t, Branch> branches_;  // those in memory
  std::shared_ptr<const RecordSource> source_;
  std::set<std::int64_t> changed_;
  std::set<std::int64_t> erased_;  // since take_changes
  bool all_erased_ = false;        // since take_changes
  bool begun_ = false;             // begin/ has been given out
  std::string now_record_;         // as given out
};

// An execution from its records, to be gone on with. Throws base::Error(data_corrupted).
[[nodiscard]] ExecutionState load_execution(std::shared_ptr<const RecordSource> source);

}  // namespace andon::asl
