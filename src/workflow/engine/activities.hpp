// SPDX-License-Identifier: Apache-2.0
// Activities: their names, and the workers that ask for their tasks. A task that waits is a row; a
// worker that waits is an entry here with a deadline, and no thread. Tasks go out in the order in
// which they were scheduled, each to one worker. Any thread.
#pragma once

#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "workflow/drive/driver.hpp"
#include "workflow/machines/types.hpp"

namespace andon::workflow {

struct Activity {
  std::string arn;
  std::string name;
  base::Timestamp created;
};

struct ActivityTask {
  std::string token;  // empty: there was none in time
  std::string input;
};

class Activities {
 public:
  Activities(store::Database& database, Driver& driver, const base::Clock& clock, const Arns& arns);

  Activity create(const std::string& name, const std::map<std::string, std::string>& tags);
  void remove(const std::string& arn);
  [[nodiscard]] Activity describe(const std::string& arn) const;  // ActivityDoesNotExist
  [[nodiscard]] bool exists(const std::string& arn) const;
  [[nodiscard]] Listed<Activity> list(const PageOf& page) const;  // by name

  // Answers with a task as soon as there is one, after a minute without. Throws
  // ActivityDoesNotExist and ActivityWorkerLimitExceeded. Gives what withdraw() takes.
  using Answer = std::function<void(const ActivityTask&)>;
  std::int64_t poll(const std::string& arn, const std::string& worker, Answer answer);
  void withdraw(std::int64_t poll);
  // A task has been scheduled.
  void wake(const std::string& arn);
  // Every worker that waits goes home.
  void send_home();

 private:
  struct Poll {
    std::int64_t number;
    std::string arn;
    std::string worker;
    Answer answer;
  };
  std::optional<Poll> take(std::int64_t number);
  void match(const std::string& arn);

  store::Database& database_;
  Driver& driver_;
  const base::Clock& clock_;
  const Arns& arns_;
  std::mutex mutex_;                              // guards what follows
  std::map<std::string, std::list<Poll>> polls_;  // by activity
  std::set<std::string> handed_out_;              // tokens on their way to a worker
  std::int64_t next_ = 1;
};

}  // namespace andon::workflow
