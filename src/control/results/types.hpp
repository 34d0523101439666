// SPDX-License-Identifier: Apache-2.0
// Results as they are kept, and what is asked about them: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/time/time.hpp"

namespace andon::control {

struct ResultLimits {
  std::chrono::days keep{90};              // from when the server had it
  std::int64_t total_bytes = 10LL << 30U;  // of all; the oldest of the thing with most go first
  std::int64_t reviews = 100;              // of one result
};

// One message of a device, read. What cannot be read as a result is kept all the same: `problem`
// says why, `image` is its digest and `time` when it came.
struct NewResult {
  std::string thing;
  base::Timestamp time;
  std::string image;
  std::string component;
  std::string model;
  std::string model_version;
  std::string label;
  std::optional<double> score;
  std::string verdict;
  std::string error;
  std::string problem;
  std::string message;  // valid UTF-8
};

enum class ReviewKind { confirmed, overruled };

// What a person says of a result; never changed, a later one stands beside it.
struct ResultReview {
  std::int64_t id = 0;
  ReviewKind kind = ReviewKind::confirmed;
  std::string label;    // overruled: what it is; empty: nothing
  std::string verdict;  // overruled: where one is given
  std::string note;
  std::string by;
  base::Timestamp time;
};

struct StoredResult {
  std::int64_t id = 0;  // rises in the order in which results came
  NewResult result;
  base::Timestamp stored;
  std::optional<ResultReview> review;  // the newest
};

// A point between results: after the result of this time and id, as one reads.
struct ResultPlace {
  std::int64_t time_ms = 0;
  std::int64_t id = 0;
};

struct ResultFilter {
  std::string thing;  // empty: any, as for the others
  std::string label;
  std::string verdict;
  std::optional<double> least_score;
  std::optional<double> most_score = {};
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();  // itself outside
  // Only of one of these: of a thing group, say. Nothing: any.
  std::optional<std::vector<std::string>> among = {};
};

enum class ResultOrder {
  newest_first,  // by their time
  as_they_came,
};

struct ResultRead {
  ResultFilter filter;
  ResultOrder order = ResultOrder::newest_first;
  std::optional<ResultPlace> place;  // nothing: from the beginning
  std::size_t limit = 100;
};

struct ResultPage {
  std::vector<StoredResult> results;
  std::optional<ResultPlace> next;  // where there may be more; the results may be none even so
};

// What kept results are counted by; by none of it: all are one count.
struct CountGroups {
  bool by_hour = true;
  bool by_thing = true;
  bool by_label = true;
  bool by_found = false;  // whether there is a class
  bool by_verdict = false;
};

// How many of the kept results are of an hour (UTC), thing, class and verdict; what they are not
// counted by is empty.
struct ResultCount {
  base::Timestamp hour;
  std::string thing;
  std::string label;
  bool is_found = false;
  std::string verdict;
  std::int64_t count = 0;
};

}  // namespace andon::control
