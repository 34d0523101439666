// SPDX-License-Identifier: Apache-2.0
#include "workflow/engine/activities.hpp"

#include <algorithm>

#include "base/log/log.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::workflow {
namespace {

constexpr std::chrono::seconds kLongestPoll{60};
constexpr std::size_t kMostPolls = 1000;  // of one activity
constexpr std::int64_t kMostActivities = 10'000;

Refusal no_such_activity(const std::string& arn) {
  return {"ActivityDoesNotExist", "Activity Does Not Exist: '" + arn + "'"};
}

Activity activity_row(const store::Row& row) {
  return {row.text(0), row.text(1), base::from_epoch_millis(row.integer(2))};
}

}  // namespace

Activities::Activities(store::Database& database, Driver& driver, const base::Clock& clock,
                       const Arns& arns)
    : database_(database), driver_(driver), clock_(clock), arns_(arns) {
  driver_.set_activity_listener([this](const std::string& arn) { wake(arn); });
}

Activity Activities::create(const std::string& name,
                            const std::map<std::string, std::string>& tags) {
  check_name(name);
  Activity activity{arns_.activity(name), name, clock_.now()};
  database_.write([&](store::Transaction& tx) {
    const auto there =
        tx.query_one("SELECT arn, name, created_ms FROM activities WHERE arn = $1", {activity.arn});
    if (there) {
      activity = activity_row(*there);
      return;
    }
    const auto count = tx.query_one("SELECT count(*) FROM activities");
    if (count->integer(0) >= kMostActivities) {
      throw Refusal("ActivityLimitExceeded", "The maximum number of activities has been reached: " +
                                                 std::to_string(kMostActivities));
    }
    tx.execute("INSERT INTO activities (arn, name, created_ms) VALUES ($1, $2, $3)",
               {activity.arn, name, base::to_epoch_millis(activity.created)});
    for (const auto& [key, value] : tags) {
      tx.execute("INSERT INTO workflow_tags (arn, tag_key, tag_value) VALUES ($1, $2, $3)",
                 {activity.arn, key, value});
    }
  });
  return activity;
}

void Activities::remove(const std::string& arn) {
  check_activity_arn(arn);
  database_.write([&](store::Transaction& tx) {
    tx.execute("DELETE FROM activities WHERE arn = $1", {arn});
    tx.execute("DELETE FROM workflow_tags WHERE arn = $1", {arn});
  });
}

Activity Activities::describe(const std::string& arn) const {
  check_activity_arn(arn);
  std::optional<Activity> found;
  database_.read([&](store::Transaction& tx) {
    const auto row =
        tx.query_one("SELECT arn, name, created_ms FROM activities WHERE arn = $1", {arn});
    if (row) found = activity_row(*row);
  });
  if (!found) throw no_such_activity(arn);
  return *found;
}

bool Activities::exists(const std::string& arn) const {
  bool found = false;
  database_.read([&](store::Transaction& tx) {
    found = tx.query_one("SELECT 1 FROM activities WHERE arn = $1", {arn}).has_value();
  });
  return found;
}

Listed<Activity> Activities::list(const PageOf& page) const {
  Listed<Activity> listed;
  database_.read([&](store::Transaction& tx) {
    for (const auto& row : tx.query(
             "SELECT arn, name, created_ms FROM activities WHERE name > $1 ORDER BY name LIMIT "
             "$2",
             {page.after, static_cast<std::int64_t>(page.limit) + 1})) {
      if (listed.items.size() == page.limit) {
        listed.next = listed.items.back().name;
        break;
      }
      listed.items.push_back(activity_row(row));
    }
  });
  return listed;
}

std::int64_t Activities::poll(const std::string& arn, const std::string& worker, Answer answer) {
  (void)describe(arn);
  std::int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    auto& polls = polls_[arn];
    if (polls.size() >= kMostPolls) {
      throw Refusal("ActivityWorkerLimitExceeded",
                    "The maximum number of workers concurrently polling for activity tasks has "
                    "been reached.");
    }
    number = next_++;
    polls.push_back({number, arn, worker, std::move(answer)});
  }
  driver_.timers().at(clock_.now() + kLongestPoll, [this, number] {
    if (auto poll = take(number)) poll->answer({});
  });
  wake(arn);
  return number;
}

void Activities::withdraw(std::int64_t poll) {
  (void)take(poll);
}

void Activities::send_home() {
  std::vector<Poll> all;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [arn, polls] : polls_) {
      for (Poll& poll : polls) all.push_back(std::move(poll));
    }
    polls_.clear();
  }
  for (const Poll& poll : all) poll.answer({});
}

std::optional<Activities::Poll> Activities::take(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  for (auto at = polls_.begin(); at != polls_.end(); ++at) {
    auto& polls = at->second;
    const auto found = std::ranges::find(polls, number, &Poll::number);
    if (found == polls.end()) continue;
    Poll poll = std::move(*found);
    polls.erase(found);
    if (polls.empty()) polls_.erase(at);
    return poll;
  }
  return std::nullopt;
}

void Activities::wake(const std::string& arn) {
  {
    const std::lock_guard lock(mutex_);
    if (!polls_.contains(arn)) return;
  }
  driver_.pool().post([this, arn] {
    try {
      match(arn);
    } catch (const std::exception& error) {
      base::log_error("an activity's tasks cannot be read",
                      {{"activity", arn}, {"error", std::string(error.what())}});
    }
  });
}

// Brings workers and tasks together, as long as there are both.
void Activities::match(const std::string& arn) {
  while (true) {
    struct Waiting {
      std::int64_t execution;
      std::int64_t number;
      std::string token;
      std::string body;
    };
    std::optional<Waiting> task;
    std::optional<Poll> poll;
    {
      const std::lock_guard lock(mutex_);
      const auto found = polls_.find(arn);
      if (found == polls_.end()) return;
      database_.read([&](store::Transaction& tx) {
        for (const auto& row : tx.query(
                 "SELECT execution, number, token, body FROM tasks WHERE activity = $1 AND phase = "
                 "'queued' ORDER BY queued LIMIT $2",
                 {arn, static_cast<std::int64_t>(handed_out_.size()) + 1})) {
          if (handed_out_.contains(row.text(2))) continue;
          task = Waiting{row.integer(0), row.integer(1), row.text(2), row.text(3)};
          break;
        }
      });
      if (!task) return;
      handed_out_.insert(task->token);
      poll = std::move(found->second.front());
      found->second.pop_front();
      if (found->second.empty()) polls_.erase(found);
    }
    const json::value body =
        base::parse_json(task->body, "a stored task", {.max_bytes = 64U << 20U, .max_depth = 1100});
    ActivityTask given{task->token, base::to_text(body.at("parameters"))};
    driver_.post(task->execution, asl::TaskStarted{task->number, poll->worker},
                 [this, arn, given = std::move(given),
                  poll = *std::move(poll)](const std::exception_ptr& failure) mutable {
                   {
                     const std::lock_guard lock(mutex_);
                     handed_out_.erase(given.token);
                     // Over, or not stored: the worker waits on for another.
                     if (failure) polls_[arn].push_front(std::move(poll));
                   }
                   if (failure) {
                     driver_.timers().at(clock_.now() + std::chrono::milliseconds(100),
                                         [this, arn] { wake(arn); });
                     return;
                   }
                   poll.answer(given);
                 });
  }
}

}  // namespace andon::workflow
