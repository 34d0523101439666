// SPDX-License-Identifier: Apache-2.0
// Room: logs. What programs and workflows say, kept in groups of streams as CloudWatch Logs has
// them, and read again by time or by what the lines hold. Executions, functions, jobs and
// components write here through LogWriter (log_writer.hpp) and clients through the API; both end in
// Logs::put().
//
// Durable when put() returns, many writers sharing a commit. Bounded in every direction: bytes of a
// group, bytes of all, age, streams and groups; the oldest events go first. Any thread. Errors are
// base::Error in AWS's words.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/logs/types.hpp"
#include "control/shared/page.hpp"
#include "control/shared/tags.hpp"
#include "store/sql/database.hpp"
#include "store/sql/group_commit.hpp"

namespace andon::control {

class Logs {
 public:
  // `database` is the logs' own; its schema is brought up to date. Both outlive this.
  Logs(store::Database& database, const base::Clock& clock, LogLimits limits);

  void create_group(const NewLogGroup& group);
  void remove_group(const std::string& name);
  [[nodiscard]] std::optional<LogGroup> find_group(const std::string& name) const;
  [[nodiscard]] Page<LogGroup> groups(const LogGroupFilter& filter, const PageRequest& page) const;
  // Nothing: until there is no room.
  void set_retention(const std::string& name, std::optional<std::int64_t> days);
  [[nodiscard]] TagMap tags(const std::string& group) const;
  void tag(const std::string& group, const TagMap& tags);
  void untag(const std::string& group, const std::vector<std::string>& keys);

  void create_stream(const std::string& group, const std::string& stream);
  void remove_stream(const std::string& group, const std::string& stream);
  [[nodiscard]] Page<LogStream> streams(const std::string& group, const LogStreamFilter& filter,
                                        const PageRequest& page) const;

  static constexpr std::size_t kBatchLines = 10'000;
  static constexpr std::size_t kBatchBytes = 1'048'576;  // with kLineBytes for each line
  static constexpr std::size_t kLineBytes = 26;
  // Lines in the order of their times, within a day, at most a batch.
  PutOutcome put(const std::string& group, const std::string& stream,
                 const std::vector<LogLine>& lines);

  // At most a megabyte of events, whatever the limit.
  [[nodiscard]] LogPage read(const std::string& group, const std::string& stream,
                             const LogRead& wanted) const;
  // Looks at a bounded number of events: an empty page may have a next one.
  [[nodiscard]] LogSearchPage search(const std::string& group, const LogSearch& wanted) const;

  // Forgets a bounded number of events that are too old or whose stream was deleted, and streams
  // that have been empty for long; answers how many.
  std::int64_t sweep(std::int64_t limit);

 private:
  static std::int64_t remove_remains(store::Transaction& tx, std::int64_t limit);
  std::int64_t remove_expired(store::Transaction& tx, std::int64_t limit) const;
  void remove_oldest(store::Transaction& tx, std::int64_t group, std::int64_t bytes) const;
  void make_room(store::Transaction& tx, std::int64_t group) const;
  [[nodiscard]] std::optional<std::int64_t> expired_before(const LogGroup& group) const;
  [[nodiscard]] LogRange kept(const LogGroup& group, LogRange range) const;

  store::Database& database_;
  const base::Clock& clock_;
  const LogLimits limits_;
  store::GroupCommit commits_;  // last: its thread uses all of the above
};

// 1 to 512 characters of those that AWS allows; throw invalid_argument.
void check_log_group_name(std::string_view name);
void check_log_stream_name(std::string_view name);

}  // namespace andon::control
