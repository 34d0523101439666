// SPDX-License-Identifier: Apache-2.0
#include "api/results/results.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "api/constraints/constraints.hpp"
#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::Results;
using control::StoredResult;

constexpr PageLimits kList{.standard = 100, .maximum = 1000};
constexpr PageLimits kExport{.standard = 1000, .maximum = 1000};
constexpr PageLimits kCounts{.standard = 1000, .maximum = 10'000};
constexpr std::chrono::days kMostDays{35};  // by shift
constexpr std::size_t kMostShifts = 12 * 37;
constexpr std::string_view kUploads = "s3://andon-uploads/";
constexpr std::size_t kMaxText = 256;
constexpr std::size_t kMaxNote = 2000;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::string short_text(const json::object& input, std::string_view key,
                       std::size_t most = kMaxText) {
  return bounded_text(input, key, most);
}

std::optional<double> read_score(const json::object& input, std::string_view key) {
  const std::string text = text_or_empty(input, key);
  if (text.empty()) return std::nullopt;
  const auto score = base::parse_number(text);
  if (!score || !std::isfinite(*score)) refuse(std::string(key) + ": must be a number");
  return score;
}

control::ResultFilter read_filter(const json::object& input) {
  control::ResultFilter filter{.thing = short_text(input, "thing"),
                               .label = short_text(input, "class"),
                               .verdict = short_text(input, "verdict"),
                               .least_score = {}};
  if (const auto from = optional_time_ms(input, "from")) filter.from_ms = *from;
  if (const auto until = optional_time_ms(input, "until")) filter.until_ms = *until;
  filter.least_score = read_score(input, "minScore");
  filter.most_score = read_score(input, "maxScore");
  return filter;
}

std::string place_text(const control::ResultPlace& place) {
  return std::to_string(place.time_ms) + "|" + std::to_string(place.id);
}

std::optional<control::ResultPlace> read_place(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto parts = base::split(text, '|');
  const auto time = base::parse_int64(parts.front());
  const auto id = base::parse_int64(parts.back());
  if (parts.size() != 2 || !time || !id) {
    refuse("nextToken: is not one that this operation gave; start the list anew without it");
  }
  return control::ResultPlace{.time_ms = *time, .id = *id};
}

control::ResultRead read_question(const json::object& input, const PageLimits& limits) {
  const control::PageRequest page = read_page(input, limits);
  control::ResultRead wanted{.filter = read_filter(input), .limit = page.limit};
  wanted.place = read_place(page.after);
  if (const auto after = optional_number(input, "afterId")) {
    // A place of the other order is of no use here.
    if (!wanted.place) wanted.place = control::ResultPlace{.time_ms = 0, .id = *after};
    wanted.order = control::ResultOrder::as_they_came;
  }
  return wanted;
}

std::int64_t read_id(const json::object& input) {
  const std::string text = required_text(input, "resultId");
  const auto id = base::parse_int64(text);
  if (!id) throw Error(ErrorCode::not_found, "there is no result " + short_text(input, "resultId"));
  return *id;
}

json::object described(const control::ResultReview& review) {
  json::object told{{"reviewId", std::to_string(review.id)},
                    {"kind", to_string(review.kind)},
                    {"by", review.by},
                    {"at", base::to_iso8601(review.time)}};
  if (review.kind == control::ReviewKind::overruled) told["class"] = review.label;
  put_unless_empty(told, "verdict", review.verdict);
  put_unless_empty(told, "note", review.note);
  return told;
}

json::object described(const StoredResult& stored, bool with_message) {
  const control::NewResult& result = stored.result;
  json::object told{{"resultId", std::to_string(stored.id)},
                    {"thing", result.thing},
                    {"timestamp", base::to_iso8601(result.time)},
                    {"receivedAt", base::to_iso8601(stored.stored)},
                    {"image", result.image},
                    {"class", result.label}};
  if (result.score) told["score"] = *result.score;
  put_unless_empty(told, "component", result.component);
  put_unless_empty(told, "model", result.model);
  put_unless_empty(told, "modelVersion", result.model_version);
  put_unless_empty(told, "verdict", result.verdict);
  put_unless_empty(told, "error", result.error);
  put_unless_empty(told, "problem", result.problem);
  if (stored.review) told["review"] = described(*stored.review);
  if (!with_message) return told;
  if (result.problem.empty()) {
    told["message"] = base::parse_json(result.message, "stored result");
  } else {
    told["raw"] = result.message;
  }
  return told;
}

void put_picture(json::object& told, const StoredResult& stored, const HasUpload& has_upload) {
  if (!has_upload || !stored.result.problem.empty()) return;
  const std::string key = upload_key(stored.result);
  if (has_upload(key)) told["picture"] = std::string(kUploads) + key;
}

json::value list(Results& results, const HasUpload& has_upload, const OperationContext& context) {
  // Before the list: who goes on from here misses nothing.
  const std::int64_t newest = results.newest_id();
  const control::ResultPage page = results.list(read_question(context.input, kList));
  const bool with_messages = flag(context.input, "includeMessages");
  json::array all;
  const bool with_pictures = flag(context.input, "includePictures");
  for (const StoredResult& stored : page.results) {
    json::object told = described(stored, with_messages);
    if (with_pictures) put_picture(told, stored, has_upload);
    all.push_back(std::move(told));
  }
  json::object output{{"results", std::move(all)}, {"newestId", std::to_string(newest)}};
  if (page.next) output["nextToken"] = to_page_token(place_text(*page.next));
  return output;
}

json::value get(Results& results, const HasUpload& has_upload, const OperationContext& context) {
  const std::int64_t id = read_id(context.input);
  const auto stored = results.find(id);
  if (!stored) throw Error(ErrorCode::not_found, "there is no result " + std::to_string(id));
  json::object output = described(*stored, true);
  put_picture(output, *stored, has_upload);
  json::array reviews;
  for (const auto& review : results.reviews(id)) reviews.push_back(described(review));
  output["reviews"] = std::move(reviews);
  return output;
}

json::value confirm(Results& results, const OperationContext& context) {
  control::ResultReview review{.kind = control::ReviewKind::confirmed,
                               .note = short_text(context.input, "note", kMaxNote),
                               .by = context.caller.principal};
  return described(results.add_review(read_id(context.input), std::move(review)));
}

json::value overrule(Results& results, const OperationContext& context) {
  control::ResultReview review{.kind = control::ReviewKind::overruled,
                               .label = short_text(context.input, "class"),
                               .verdict = short_text(context.input, "verdict"),
                               .note = short_text(context.input, "note", kMaxNote),
                               .by = context.caller.principal};
  // An empty class says that there is nothing; leaving it out would not say anything.
  if (!context.input.contains("class") && review.verdict.empty()) {
    refuse("class or verdict must say what it is; an empty class that there is nothing");
  }
  return described(results.add_review(read_id(context.input), std::move(review)));
}

json::value export_results(Results& results, const OperationContext& context) {
  const std::string format = word_or_empty(context.input, "format", {"jsonl", "csv"});
  const control::ResultRead wanted = read_question(context.input, kExport);
  const bool is_csv = format == "csv";
  const control::ResultPage page = results.list(wanted);
  std::string content;
  if (is_csv && !wanted.place) content.append(kResultCsvHeading).append("\n");
  for (const StoredResult& stored : page.results) {
    content += (is_csv ? to_csv_line(stored) : base::to_text(described(stored, true))) + "\n";
  }
  json::object output{{"format", is_csv ? "csv" : "jsonl"}, {"content", std::move(content)}};
  if (page.next) output["nextToken"] = to_page_token(place_text(*page.next));
  return output;
}

// "thing,hour,class" and others of these.
struct Grouping {
  control::CountGroups groups{.by_hour = false, .by_thing = false, .by_label = false};
  bool by_shift = false;
};

Grouping read_grouping(const json::object& input) {
  const std::string text = short_text(input, "groupBy");
  Grouping grouping;
  for (const std::string_view word :
       base::split(text.empty() ? "thing,hour,class" : std::string_view(text), ',')) {
    if (word == "thing") {
      grouping.groups.by_thing = true;
    } else if (word == "hour") {
      grouping.groups.by_hour = true;
    } else if (word == "class") {
      grouping.groups.by_label = true;
    } else if (word == "found") {
      grouping.groups.by_found = true;
    } else if (word == "verdict") {
      grouping.groups.by_verdict = true;
    } else if (word == "shift") {
      grouping.by_shift = true;
    } else if (word != "none" || text != "none") {
      refuse(
          "groupBy: may name thing, hour or shift, class or found, verdict, with commas between "
          "them, "
          "or none alone");
    }
  }
  if (grouping.by_shift && grouping.groups.by_hour) refuse("groupBy: by hour or by shift");
  return grouping;
}

json::object described(const control::ResultCount& one, const control::CountGroups& groups) {
  json::object told;
  if (groups.by_thing) told["thing"] = one.thing;
  if (groups.by_hour) told["hour"] = base::to_iso8601(one.hour);
  if (groups.by_label) told["class"] = one.label;
  if (groups.by_found) told["found"] = one.is_found;
  if (groups.by_verdict) told["verdict"] = one.verdict;
  told["count"] = one.count;
  return told;
}

// A page ends within a shift or at the end of one; its key is where that shift begins, and what the
// list of the shift goes on after.
json::value count_by_shift(const Results& results, control::ResultFilter filter,
                           const control::CountGroups& groups, const control::PageRequest& page,
                           base::Timestamp now) {
  const control::ShiftPlan plan = results.shifts();
  if (plan.shifts.empty()) {
    throw Error(ErrorCode::failed_precondition,
                "groupBy: nobody has said yet when shifts begin (PutShifts, andon result shifts)");
  }
  const std::int64_t latest = base::to_epoch_millis(now) + 1;
  filter.until_ms = std::min(filter.until_ms, latest);
  filter.from_ms =
      std::max(filter.from_ms, filter.until_ms - std::chrono::milliseconds(kMostDays).count());
  std::string after;
  if (!page.after.empty()) {
    const std::size_t bar = page.after.find('|');
    const auto begin = base::parse_int64(page.after.substr(0, bar));
    if (!begin || bar == std::string::npos) refuse("nextToken: is not one that this gave");
    filter.from_ms = std::max(filter.from_ms, *begin);
    after = page.after.substr(bar + 1);
  }
  json::array counts;
  std::string next;
  for (const control::ShiftSpan& shift :
       control::shifts_between(plan, base::from_epoch_millis(filter.from_ms),
                               base::from_epoch_millis(filter.until_ms), kMostShifts)) {
    if (counts.size() >= page.limit) {
      next = std::to_string(base::to_epoch_millis(shift.begin)) + "|";
      break;
    }
    control::ResultFilter of_shift = filter;
    of_shift.from_ms = std::max(filter.from_ms, base::to_epoch_millis(shift.begin));
    of_shift.until_ms = std::min(filter.until_ms, base::to_epoch_millis(shift.end));
    const auto found = results.counts(
        of_shift, groups, {.limit = page.limit - counts.size(), .after = std::exchange(after, {})});
    for (const control::ResultCount& one : found.items) {
      if (one.count == 0) continue;
      json::object told = described(one, groups);
      told["shift"] = shift.name;
      told["day"] = shift.day;
      told["begin"] = base::to_iso8601(shift.begin);
      told["end"] = base::to_iso8601(shift.end);
      counts.push_back(std::move(told));
    }
    if (found.next) {
      next = std::to_string(base::to_epoch_millis(shift.begin)) + "|" + *found.next;
      break;
    }
  }
  json::object output{{"counts", std::move(counts)}};
  if (!next.empty()) output["nextToken"] = to_page_token(next);
  return output;
}

json::value count(Results& results, const OperationContext& context) {
  const Grouping grouping = read_grouping(context.input);
  const control::ResultFilter filter = read_filter(context.input);
  const control::PageRequest request = read_page(context.input, kCounts);
  if (grouping.by_shift) {
    return count_by_shift(results, filter, grouping.groups, request, base::SystemClock().now());
  }
  const auto page = results.counts(filter, grouping.groups, request);
  json::array counts;
  for (const control::ResultCount& one : page.items) {
    counts.push_back(described(one, grouping.groups));
  }
  json::object output{{"counts", std::move(counts)}};
  put_next(output, page.next);
  return output;
}

json::value get_shifts(Results& results, const OperationContext&) {
  return control::to_json(results.shifts());
}

json::value put_shifts(Results& results, const OperationContext& context) {
  const control::ShiftPlan plan = control::read_shift_plan(context.input);
  results.set_shifts(plan);
  return control::to_json(plan);
}

// As RFC 4180 has it, one row a line.
std::string field(std::string_view text) {
  std::string made;
  // Never a formula, whatever a device calls its pictures.
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
    made = "'";
  }
  for (const char c : text) made += base::is_control(c) ? ' ' : c;
  if (made.find_first_of(",\"'") == std::string::npos) return made;
  std::string quoted = "\"";
  for (const char c : made) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string to_csv_line(const StoredResult& stored) {
  const control::NewResult& result = stored.result;
  std::vector<std::string> fields{std::to_string(stored.id),
                                  field(result.thing),
                                  base::to_iso8601(result.time),
                                  field(result.image),
                                  field(result.component),
                                  field(result.model),
                                  field(result.model_version),
                                  field(result.label),
                                  result.score ? base::number_text(*result.score) : "",
                                  field(result.verdict),
                                  field(result.error.empty() ? result.problem : result.error)};
  if (const auto& review = stored.review) {
    fields.insert(fields.end(),
                  {std::string(to_string(review->kind)), field(review->label),
                   field(review->verdict), field(review->by), base::to_iso8601(review->time)});
  } else {
    fields.insert(fields.end(), 5, "");
  }
  fields.push_back(base::to_iso8601(stored.stored));
  std::string line;
  for (const std::string& one : fields) line += (&one == &fields.front() ? "" : ",") + one;
  return line;
}

std::string upload_key(const control::NewResult& result) {
  // "2026-11-22T10:00:00.123Z" -> "2026/11/22".
  std::string day = base::to_iso8601(result.time).substr(0, 10);
  std::ranges::replace(day, '-', '/');
  return result.thing + "/" + day + "/" + result.image;
}

std::vector<Operation> result_operations(Results& results, HasUpload has_upload) {
  using Work = json::value (*)(Results&, const OperationContext&);
  const auto row = [&results](std::string_view name, std::string_view method, std::string_view path,
                              Work work) {
    return own_row(name, method, path, std::ref(results), work);
  };
  const auto with_pictures = [&results, has_upload = std::move(has_upload)](
                                 std::string_view name, std::string_view path, auto work) {
    return own_row(name, "GET", path, std::ref(results),
                   [has_upload, work](Results& of, const OperationContext& context) {
                     return work(of, has_upload, context);
                   });
  };
  return {with_pictures("ListResults", "/andon/v1/results", list),
          with_pictures("GetResult", "/andon/v1/results/{resultId}", get),
          row("ConfirmResult", "POST", "/andon/v1/results/{resultId}/confirm", confirm),
          row("OverruleResult", "POST", "/andon/v1/results/{resultId}/overrule", overrule),
          row("ExportResults", "GET", "/andon/v1/result-export", export_results),
          row("CountResults", "GET", "/andon/v1/result-counts", count),
          row("GetShifts", "GET", "/andon/v1/result-shifts", get_shifts),
          row("PutShifts", "PUT", "/andon/v1/result-shifts", put_shifts)};
}

}  // namespace andon::api
