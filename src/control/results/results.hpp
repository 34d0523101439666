// SPDX-License-Identifier: Apache-2.0
// Room: results. What devices found, kept: a row a result, what people say of it beside it.
// Devices' messages come through ResultIntake (result_intake.hpp), questions through the API.
//
// Durable when put() returns. A result is known by thing, time, image and component, so one that
// comes again is not kept twice. Bounded by age and by bytes: of the thing that has most the oldest
// go first, so that one device cannot push out the others'. Any thread. Errors are base::Error.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "control/results/shifts.hpp"
#include "control/results/types.hpp"
#include "control/shared/page.hpp"
#include "store/sql/database.hpp"
#include "store/sql/group_commit.hpp"

namespace andon::control {

class Results {
 public:
  // `database` is the results' own; its schema is brought up to date. Both outlive this.
  Results(store::Database& database, const base::Clock& clock, ResultLimits limits);

  // One transaction. How many were new.
  std::size_t put(const std::vector<NewResult>& results);

  [[nodiscard]] std::optional<StoredResult> find(std::int64_t id) const;
  // All of one result, oldest first.
  [[nodiscard]] std::vector<ResultReview> reviews(std::int64_t id) const;
  // Looks at a bounded number of results: an empty page may have a next one. At most four megabytes
  // of messages a page, whatever the limit.
  [[nodiscard]] ResultPage list(const ResultRead& wanted) const;
  // In the order of what they are counted by, hours oldest first; of `filter`, what is of thing,
  // class, verdict and time. Times count by the quarter of an hour. Throws invalid_argument for a
  // page that no list has given.
  [[nodiscard]] Page<ResultCount> counts(const ResultFilter& filter, const CountGroups& groups,
                                         const PageRequest& page) const;

  // What was said of shifts; none at first.
  [[nodiscard]] ShiftPlan shifts() const;
  // `plan` as read_shift_plan() gives it.
  void set_shifts(const ShiftPlan& plan);

  // Throws not_found for a result that is not there, resource_exhausted beyond the limit. `review`
  // without id and time, which are in the answer.
  ResultReview add_review(std::int64_t result, ResultReview review);

  // Forgets a bounded number of results that are too old; answers how many.
  std::int64_t sweep(std::int64_t limit);

  // The id of what came last; 0: nothing is kept.
  [[nodiscard]] std::int64_t newest_id() const;

  struct Totals {
    std::int64_t results = 0;
    std::int64_t bytes = 0;
  };
  [[nodiscard]] Totals totals() const;
  [[nodiscard]] store::GroupCommit::Counts commits() const { return commits_.counts(); }

 private:
  // How much more (or, below zero, fewer) there is, gathered over a transaction.
  struct Changes {
    // Quarter of an hour since 1970, thing, label, verdict.
    using Count = std::tuple<std::int64_t, std::string, std::string, std::string>;
    std::map<std::string, std::int64_t> bytes;  // by thing
    std::map<Count, std::int64_t> counts;
    std::int64_t results = 0;
  };
  static void note(Changes& changes, const Changes::Count& of, std::int64_t bytes,
                   std::int64_t results);
  static void apply(store::Transaction& tx, const Changes& changes);
  static std::int64_t remove(store::Transaction& tx, const std::vector<store::Row>& rows);
  void make_room(store::Transaction& tx) const;

  store::Database& database_;
  const base::Clock& clock_;
  const ResultLimits limits_;
  store::GroupCommit commits_;  // last: its thread uses all of the above
};

[[nodiscard]] std::string_view to_string(ReviewKind kind);  // "CONFIRMED"

}  // namespace andon::control
