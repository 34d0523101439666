// SPDX-License-Identifier: Apache-2.0
#include "workflow/drive/driver.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/id.hpp"
#include "workflow/drive/state.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

// Events of one execution that go into one commit.
constexpr std::size_t kMailBatch = 200;
constexpr std::chrono::seconds kRepeatAfter{1};
constexpr std::chrono::minutes kLongestExpress{5};
// Of an Express execution whose machine has no TimeoutSeconds.
constexpr std::int64_t kExpressTimer = -1;

std::exception_ptr task_is_over() {
  return std::make_exception_ptr(
      Refusal("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'"));
}

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "unknown";
  }
}

}  // namespace

std::uint64_t new_seed() {
  std::uint64_t seed = 0;
  for (const char byte : base::random_bytes(sizeof(seed))) {
    seed = seed << 8U | static_cast<unsigned char>(byte);
  }
  return seed;
}

std::optional<TaskKey> key_of(const asl::EventBody& body) {
  return std::visit(
      [](const auto& event) -> std::optional<TaskKey> {
        using Event = std::decay_t<decltype(event)>;
        if constexpr (requires { event.task; }) {
          return TaskKey{TaskKind::task, event.task, 0};
        } else if constexpr (requires { event.index; }) {
          return TaskKey{TaskKind::child, event.index, event.branch};
        } else if constexpr (requires { event.branch; } &&
                             !std::is_same_v<Event, asl::MapRunChanged>) {
          constexpr bool kItems =
              std::is_same_v<Event, asl::ItemsRead> || std::is_same_v<Event, asl::ItemsFailed>;
          return TaskKey{kItems ? TaskKind::items : TaskKind::results, event.branch, event.branch};
        } else {
          return std::nullopt;
        }
      },
      body);
}

Driver::Driver(const Parts& parts, Options options)
    : parts_(parts),
      options_(options),
      owner_(base::random_uuid()),
      timers_(parts.database, parts.clock,
              [this](std::int64_t execution, std::int64_t timer) {
                post(execution, asl::TimerFired{timer});
              }),
      effects_(options_.effect_threads),
      pool_(options_.threads) {
  gate_->driver = this;
}

Driver::~Driver() {
  stop();
}

void Driver::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  {
    const std::unique_lock lock(gate_->mutex);
    gate_->driver = nullptr;
  }
  timers_.stop();
  pool_.stop();
  effects_.stop();
  // What has been handed in to be committed tells this object.
  try {
    parts_.commits.write([](store::Transaction&) {});
  } catch (const std::exception& error) {
    base::log_error("the last commit failed", {{"error", std::string(error.what())}});
  }
}

Driver::Gauges Driver::gauges() const {
  const std::lock_guard lock(mutex_);
  return {live_.size(), in_flight_.size(), express_.size()};
}

// ---- mail

void Driver::post(std::int64_t execution, asl::EventBody body, Done done) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  Live& live = live_[execution];
  live.mail.push_back({std::move(body), std::move(done)});
  if (std::exchange(live.busy, true)) return;
  pool_.post([this, execution] { work(execution); });
}

void Driver::go_on(std::int64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  Live& live = found->second;
  if (!live.mail.empty()) {
    pool_.post([this, id] { work(id); });
    return;
  }
  live.busy = false;
  if (live.express == nullptr) live_.erase(found);
}

// Tells who waits; what nobody waits for and has failed is repeated.
void Driver::settle(std::int64_t id, std::vector<Mail>& mail, const std::exception_ptr& failure) {
  for (Mail& one : mail) {
    const auto* timer = std::get_if<asl::TimerFired>(&one.body);
    if (timer != nullptr) timers_.settled(id, timer->timer);
    if (one.done) {
      one.done(failure);
    } else if (failure) {
      const base::Timestamp again = parts_.clock.now() + kRepeatAfter;
      if (timer != nullptr) {
        timers_.note(again);
      } else {
        timers_.at(again, [this, id, body = std::move(one.body)] { post(id, body); });
      }
    }
  }
  mail.clear();
}

std::unique_ptr<Driver::Loaded> Driver::take(std::int64_t id) {
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find_if(warm_, [id](const auto& loaded) { return loaded->row.id == id; });
    if (found != warm_.end()) {
      auto loaded = std::move(*found);
      warm_.erase(found);
      return loaded;
    }
  }
  auto row = parts_.executions.find(id);
  if (!row || row->status != asl::Status::running) return nullptr;
  auto loaded = std::make_unique<Loaded>();
  loaded->row = *std::move(row);
  loaded->row.input.clear();
  loaded->state = asl::load_execution(records_of(parts_.database, id));
  loaded->row.role = loaded->state.role_arn;
  loaded->machine = parts_.machines.compiled(loaded->row.revision);
  bool has_maps = false;
  for (const auto& task : parts_.executions.tasks(id)) {
    has_maps = has_maps || task.key.kind != TaskKind::task;
    loaded->open[task.key] = {task.token, task.child};
  }
  if (has_maps) {
    for (MapRunRow& run : parts_.executions.list_map_runs(id, {.limit = 10'000}).items) {
      if (run.status == "RUNNING") loaded->map_runs[run.branch] = std::move(run);
    }
  }
  return loaded;
}

void Driver::put_back(std::unique_ptr<Loaded> loaded) {
  const std::lock_guard lock(mutex_);
  if (loaded->express) {
    live_[loaded->row.id].express = std::move(loaded);
    return;
  }
  warm_.push_front(std::move(loaded));
  if (warm_.size() > options_.warm) warm_.pop_back();
}

// ---- one round of an execution

void Driver::work(std::int64_t id) {
  const auto pending = std::make_shared<Pending>();
  std::vector<Mail>& mail = pending->mail;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    Live& live = live_[id];
    while (!live.mail.empty() && mail.size() < kMailBatch) {
      mail.push_back(std::move(live.mail.front()));
      live.mail.pop_front();
    }
    pending->loaded = std::move(live.express);
  }
  try {
    if (!pending->loaded) pending->loaded = take(id);
    if (!pending->loaded) {
      for (Mail& one : mail) {
        if (one.done && key_of(one.body)) std::exchange(one.done, nullptr)(task_is_over());
      }
      settle(id, mail, nullptr);
      go_on(id);
      return;
    }
    pending->commit.row = pending->loaded->row;
    for (Mail& one : mail) {
      const auto key = key_of(one.body);
      const bool is_over = pending->loaded->state.status != asl::Status::running ||
                           (key && !pending->loaded->open.contains(*key));
      if (!is_over) {
        step(*pending, one.body);
      } else if (key && one.done) {
        std::exchange(one.done, nullptr)(task_is_over());
      }
    }
    complete(*pending);
  } catch (...) {
    const auto failure = std::current_exception();
    base::log_error("an execution cannot go on", {{"execution", id}, {"error", text_of(failure)}});
    if (pending->loaded && pending->loaded->express) {
      // Nothing of it is stored: it ends here.
      Execution& row = pending->loaded->row;
      row.status = asl::Status::failed;
      row.error = "States.Runtime";
      row.cause = text_of(failure);
      row.stopped = parts_.clock.now();
      observe(*pending->loaded, {});
      settle(id, mail, nullptr);
      const EndDone end = std::move(pending->loaded->end);
      {
        const std::lock_guard lock(mutex_);
        express_.erase(row.arn);
        live_.erase(id);
      }
      if (end) end(row);
      tell_ended(row);
      return;
    }
    settle(id, mail, failure);
    go_on(id);
    return;
  }
  submit(pending);
}

void Driver::step(Pending& pending, const asl::EventBody& body) {
  Loaded& loaded = *pending.loaded;
  note_event(pending, body);
  const asl::Event event{parts_.clock.now(), new_seed(), body};
  gather(pending, asl::step(*loaded.machine, std::move(loaded.state), event, options_.limits));
}

void Driver::submit(const PendingPtr& pending) {
  const std::int64_t id = pending->loaded->row.id;
  if (pending->loaded->express) {
    committed(pending);
    return;
  }
  const auto failed = [this, id, pending](const std::exception_ptr& failure) {
    base::log_warning("a step was not stored", {{"execution", id}, {"error", text_of(failure)}});
    settle(id, pending->mail, failure);
    go_on(id);
  };
  try {
    parts_.commits.submit(
        [this, pending](store::Transaction& tx) { write(tx, pending->commit, owner_); },
        [this, pending, failed](const std::exception_ptr& failure) {
          if (failure) {
            failed(failure);
          } else {
            committed(pending);
          }
        });
  } catch (...) {
    failed(std::current_exception());
  }
}

void Driver::committed(const PendingPtr& pending) {
  Loaded& loaded = *pending->loaded;
  Commit& commit = pending->commit;
  const std::int64_t id = loaded.row.id;
  loaded.row = std::move(commit.row);
  ++loaded.row.sequence;
  if (!commit.events.empty()) loaded.row.last_event = commit.events.back().id;
  const bool has_ended = loaded.row.status != asl::Status::running;
  observe(loaded, commit.events);
  if (!has_ended) {
    for (const auto& [timer, due] : commit.timers) {
      if (loaded.express) {
        timers_.at(due, [this, id, timer = timer] { post(id, asl::TimerFired{timer}); });
      } else {
        timers_.note(due);
      }
    }
  }
  settle(id, pending->mail, nullptr);
  for (const TaskKey& key : pending->cancelled) cancel(id, key);
  for (const TaskRow& task : commit.tasks) carry_out(loaded.row, task);
  if (!commit.stops.empty()) carry_out_stops(commit.stops);
  const EndDone end = has_ended ? std::move(loaded.end) : nullptr;
  const Execution row = has_ended ? loaded.row : Execution();
  if (has_ended && loaded.express) {
    const std::lock_guard lock(mutex_);
    express_.erase(row.arn);
    live_.erase(id);
  } else {
    if (commit.resumes) post(id, asl::Resume{});
    if (!has_ended && (loaded.express || commit.has_tasks || commit.resumes)) {
      loaded.row.input.clear();
      if (!loaded.express) loaded.state.attach(records_of(parts_.database, id));
      put_back(std::move(pending->loaded));
    }
    go_on(id);
  }
  if (!has_ended) return;
  if (end) end(row);
  tell_ended(row);
}

// ---- the start

Driver::PendingPtr Driver::begin(const NewExecution& execution) {
  auto pending = std::make_shared<Pending>();
  pending->loaded = std::make_unique<Loaded>();
  Loaded& loaded = *pending->loaded;
  const base::Timestamp now = parts_.clock.now();
  const Machine& machine = execution.target.machine;
  loaded.row = {.id = new_number(now),
                .arn = execution.arn,
                .name = execution.name,
                .machine = execution.machine,
                .revision = machine.revision,
                .version_arn = execution.target.version_arn,
                .alias_arn = execution.target.alias_arn,
                .started = now,
                .input = execution.input_text,
                .trace_header = execution.trace_header,
                .parent = execution.parent,
                .map_run = execution.map_run,
                .item_count = execution.item_count,
                .role = machine.settings.role};
  loaded.machine = execution.target.compiled;
  loaded.express = execution.express;
  pending->commit.row = loaded.row;
  pending->commit.is_new = true;
  gather(*pending, asl::start(*loaded.machine,
                              {.arn = execution.arn,
                               .name = execution.name,
                               .role_arn = machine.settings.role,
                               .machine_arn = machine.arn,
                               .machine_name = machine.name,
                               .region = parts_.arns.region(),
                               .input = execution.input,
                               .time = now,
                               .seed = new_seed(),
                               .flow = execution.flow,
                               .item = execution.item},
                              options_.limits));
  json::object& started = pending->commit.events.front().members;
  if (!execution.target.alias_arn.empty()) {
    started["stateMachineAliasArn"] = execution.target.alias_arn;
  }
  if (!execution.target.version_arn.empty()) {
    started["stateMachineVersionArn"] = execution.target.version_arn;
  }
  complete(*pending);
  return pending;
}

void Driver::start(NewExecution execution, StartDone done) {
  start_again(std::make_shared<NewExecution>(std::move(execution)), done);
}

void Driver::start_again(const std::shared_ptr<NewExecution>& execution, const StartDone& done) {
  struct Found {
    std::optional<Started> existing;
    bool has_moved = false;    // the machine was updated meanwhile
    bool is_unwanted = false;  // the map that it was for is over
  };
  const PendingPtr pending = begin(*execution);
  const auto found = std::make_shared<Found>();
  const std::int64_t id = pending->loaded->row.id;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) throw base::Error(base::ErrorCode::unavailable, "the server is ending");
    live_[id].busy = true;
  }
  const auto check = [this, execution, found](store::Transaction& tx) {
    *found = {};
    const Parent& parent = execution->parent;
    const auto row = tx.query_one(
        "SELECT id, status, start_ms, input, parent, parent_index FROM executions WHERE arn = $1",
        {execution->arn});
    if (row) {
      const bool is_ours = parent.execution != 0 && row->integer(4) == parent.execution &&
                           row->integer(5) == parent.index;
      if (!is_ours && (row->text(1) != "RUNNING" || row->text(3) != execution->input_text)) {
        throw Refusal("ExecutionAlreadyExists",
                      "Execution Already Exists: '" + execution->arn + "'");
      }
      found->existing =
          Started{row->integer(0), execution->arn, base::from_epoch_millis(row->integer(2))};
      return false;
    }
    if (!execution->map_run.empty()) {
      found->is_unwanted = !tx.query_one(
          "SELECT 1 FROM tasks WHERE execution = $1 AND kind = 'child' AND number = $2 AND branch "
          "= $3",
          {parent.execution, parent.index, parent.branch});
      return !found->is_unwanted;
    }
    found->has_moved = !parts_.machines.is_current(tx, execution->target);
    return !found->has_moved;
  };
  try {
    parts_.commits.submit(
        [this, pending, check](store::Transaction& tx) {
          if (check(tx)) write(tx, pending->commit, owner_);
        },
        [this, pending, found, execution, done, id](const std::exception_ptr& failure) {
          const Started started{id, execution->arn, pending->commit.row.started};
          if (!failure && !found->existing && !found->has_moved && !found->is_unwanted) {
            done(started, nullptr);
            committed(pending);
            return;
          }
          go_on(id);
          if (!failure && found->has_moved) {
            pool_.post([this, execution, done] {
              try {
                execution->target = parts_.machines.target(execution->target.machine.arn);
                start_again(execution, done);
              } catch (...) {
                done({}, std::current_exception());
              }
            });
            return;
          }
          done(found->existing.value_or(started), failure);
        });
  } catch (...) {
    go_on(id);
    throw;
  }
}

Started Driver::start_express(NewExecution execution, EndDone end) {
  execution.express = true;
  const PendingPtr pending = begin(execution);
  Loaded& loaded = *pending->loaded;
  loaded.end = std::move(end);
  const Started started{loaded.row.id, loaded.row.arn, loaded.row.started};
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) throw base::Error(base::ErrorCode::unavailable, "the server is ending");
    if (express_.size() >= options_.express) {
      throw Refusal("ExecutionLimitExceeded",
                    "The maximum number of running Express executions has been reached: " +
                        std::to_string(options_.express));
    }
    express_[started.arn] = started.id;
    live_[started.id].busy = true;
  }
  if (loaded.state.status == asl::Status::running) {
    if (loaded.state.execution_timer == 0) loaded.state.execution_timer = kExpressTimer;
    timers_.at(started.started + kLongestExpress,
               [this, id = started.id, timer = loaded.state.execution_timer] {
                 const std::lock_guard lock(mutex_);
                 if (!live_.contains(id)) return;
                 pool_.post([this, id, timer] { post(id, asl::TimerFired{timer}); });
               });
  }
  pool_.post([this, pending] { committed(pending); });
  return started;
}

// ---- the redrive

void Driver::redrive(const Execution& row, asl::Redrive redrive, const std::string& token,
                     RedriveDone done) {
  const auto pending = std::make_shared<Pending>();
  const std::int64_t id = row.id;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) throw base::Error(base::ErrorCode::unavailable, "the server is ending");
    if (std::exchange(live_[id].busy, true)) {
      throw Refusal("ExecutionNotRedrivable", "Execution is RUNNING and cannot be redriven");
    }
  }
  const auto repeated = std::make_shared<std::optional<base::Timestamp>>();
  try {
    pending->loaded = std::make_unique<Loaded>();
    Loaded& loaded = *pending->loaded;
    loaded.row = row;
    loaded.machine = parts_.machines.compiled(row.revision);
    redrive.time = parts_.clock.now();
    redrive.seed = new_seed();
    Execution& changed = loaded.row;
    changed.status = asl::Status::running;
    changed.stopped.reset();
    changed.output.reset();
    changed.error.reset();
    changed.cause.reset();
    ++changed.redrive_count;
    changed.redriven = redrive.time;
    pending->commit.row = changed;
    pending->commit.is_redrive = true;
    gather(*pending,
           asl::redrive(*loaded.machine, asl::load_execution(records_of(parts_.database, id)),
                        redrive, options_.limits));
    changed.role = loaded.state.role_arn;
    complete(*pending);
    parts_.commits.submit(
        [this, pending, token, repeated, id](store::Transaction& tx) {
          repeated->reset();
          constexpr std::chrono::minutes kTokenLife{15};
          const std::int64_t now = base::to_epoch_millis(*pending->commit.row.redriven);
          tx.execute("DELETE FROM redrive_tokens WHERE execution = $1 AND redrive_ms < $2",
                     {id, now - std::chrono::milliseconds(kTokenLife).count()});
          const auto known = tx.query_one(
              "SELECT redrive_ms FROM redrive_tokens WHERE execution = $1 AND token = $2",
              {id, token});
          if (known) {
            *repeated = base::from_epoch_millis(known->integer(0));
            return;
          }
          if (!token.empty()) {
            tx.execute(
                "INSERT INTO redrive_tokens (execution, token, redrive_ms) VALUES ($1, $2, $3)",
                {id, token, now});
          }
          write(tx, pending->commit, owner_);
        },
        [this, pending, repeated, done, id](const std::exception_ptr& failure) {
          if (failure || *repeated) {
            go_on(id);
            done(repeated->value_or(base::Timestamp{}), failure);
            return;
          }
          done(*pending->commit.row.redriven, nullptr);
          committed(pending);
        });
  } catch (...) {
    go_on(id);
    throw;
  }
}

// ---- the end

void Driver::when_ended(const std::string& arn, EndDone told) {
  {
    const std::lock_guard lock(mutex_);
    waiting_for_end_[arn].push_back(std::move(told));
  }
  const auto row = parts_.executions.find(arn);
  if (!row || row->status == asl::Status::running) return;
  std::vector<EndDone> all;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_for_end_.find(arn);
    if (found == waiting_for_end_.end()) return;
    all = std::move(found->second);
    waiting_for_end_.erase(found);
  }
  for (const EndDone& one : all) one(*row);
}

void Driver::observe(const Loaded& loaded, const std::vector<asl::HistoryEvent>& events) const {
  if (!observe_) return;
  observe_(loaded.express ? MachineType::express : MachineType::standard, loaded.row, events);
}

void Driver::tell_ended(const Execution& row) {
  std::vector<EndDone> told;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_for_end_.find(row.arn);
    if (found != waiting_for_end_.end()) {
      told = std::move(found->second);
      waiting_for_end_.erase(found);
    }
  }
  if (!row.map_run.empty()) child_ended(row);
  if (told.empty()) return;
  pool_.post([this, told = std::move(told), id = row.id] {
    // Rows in memory are without what their execution no longer needs.
    const auto whole = parts_.executions.find(id);
    if (!whole) return;
    for (const EndDone& one : told) one(*whole);
  });
}

}  // namespace andon::workflow
