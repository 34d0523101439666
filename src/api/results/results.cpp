// SPDX-License-Identifier: Apache-2.0
#include "api/results/results.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <utility>

#include "api/constraints/constraints.hpp"
#include "api/constraints/rows.hpp"
#include "api/results/result_question.hpp"
#include "api/table/known_as.hpp"
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
constexpr std::size_t kMaxNote = 2000;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::int64_t read_id(const json::object& input) {
  const std::string text = required_text(input, "resultId");
  const auto id = base::parse_int64(text);
  if (!id)
    throw Error(ErrorCode::not_found, "there is no result " + short_result_text(input, "resultId"));
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

json::value list(Results& results, const Members& members, const HasUpload& has_upload,
                 const OperationContext& context) {
  // Before the list: who goes on from here misses nothing.
  const std::int64_t newest = results.newest_id();
  const control::ResultPage page =
      results.list(read_result_question(context.input, kList, members));
  const bool with_messages = flag(context.input, "includeMessages");
  json::array all;
  const bool with_pictures = flag(context.input, "includePictures");
  for (const StoredResult& stored : page.results) {
    json::object told = described(stored, with_messages);
    if (with_pictures) put_picture(told, stored, has_upload);
    all.push_back(std::move(told));
  }
  json::object output{{"results", std::move(all)}, {"newestId", std::to_string(newest)}};
  if (page.next) output["nextToken"] = to_page_token(result_place_text(*page.next));
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

json::value confirm(Results& results, const Authorizer* authorizer,
                    const OperationContext& context) {
  control::ResultReview review{.kind = control::ReviewKind::confirmed,
                               .note = bounded_text(context.input, "note", kMaxNote),
                               .by = known_as(authorizer, context.caller)};
  return described(results.add_review(read_id(context.input), std::move(review)));
}

json::value overrule(Results& results, const Authorizer* authorizer,
                     const OperationContext& context) {
  control::ResultReview review{.kind = control::ReviewKind::overruled,
                               .label = short_result_text(context.input, "class"),
                               .verdict = short_result_text(context.input, "verdict"),
                               .note = bounded_text(context.input, "note", kMaxNote),
                               .by = known_as(authorizer, context.caller)};
  // An empty class says that there is nothing; leaving it out would not say anything.
  if (!context.input.contains("class") && review.verdict.empty()) {
    refuse("class or verdict must say what it is; an empty class that there is nothing");
  }
  return described(results.add_review(read_id(context.input), std::move(review)));
}

json::value export_results(Results& results, const Members& members,
                           const OperationContext& context) {
  const std::string format = word_or_empty(context.input, "format", {"jsonl", "csv"});
  const control::ResultRead wanted = read_result_question(context.input, kExport, members);
  const bool is_csv = format == "csv";
  const control::ResultPage page = results.list(wanted);
  std::string content;
  if (is_csv && !wanted.place) content.append(kResultCsvHeading).append("\n");
  for (const StoredResult& stored : page.results) {
    content += (is_csv ? to_csv_line(stored) : base::to_text(described(stored, true))) + "\n";
  }
  json::object output{{"format", is_csv ? "csv" : "jsonl"}, {"content", std::move(content)}};
  if (page.next) output["nextToken"] = to_page_token(result_place_text(*page.next));
  return output;
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

json::value count(Results& results, const Members& members, const OperationContext& context) {
  const ResultGrouping grouping = read_result_grouping(context.input);
  const control::ResultFilter filter = read_result_filter(context.input, members);
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

std::vector<Operation> result_operations(Results& results, const control::Things& things,
                                         HasUpload has_upload, const Authorizer* authorizer) {
  using Work = json::value (*)(Results&, const OperationContext&);
  const auto row = [&results](std::string_view name, std::string_view method, std::string_view path,
                              Work work) {
    return own_row(name, method, path, std::ref(results), work);
  };
  const Members members = [&things](const std::string& group) {
    return members_of_group(things, group);
  };
  const auto about_many = [&results, members](std::string_view name, std::string_view path,
                                              auto work) {
    return own_row(name, "GET", path, std::ref(results),
                   [members, work](Results& of, const OperationContext& context) {
                     return work(of, members, context);
                   });
  };
  const auto list_with_pictures = [has_upload](Results& of, const Members& group,
                                               const OperationContext& context) {
    return list(of, group, has_upload, context);
  };
  const auto get_with_picture = [has_upload = std::move(has_upload)](
                                    Results& of, const OperationContext& context) {
    return get(of, has_upload, context);
  };
  const auto review = [&results, authorizer](std::string_view name, std::string_view path,
                                             auto work) {
    return own_row(name, "POST", path, std::ref(results),
                   [authorizer, work](Results& of, const OperationContext& context) {
                     return work(of, authorizer, context);
                   });
  };
  return {about_many("ListResults", "/andon/v1/results", list_with_pictures),
          own_row("GetResult", "GET", "/andon/v1/results/{resultId}", std::ref(results),
                  get_with_picture),
          review("ConfirmResult", "/andon/v1/results/{resultId}/confirm", confirm),
          review("OverruleResult", "/andon/v1/results/{resultId}/overrule", overrule),
          about_many("ExportResults", "/andon/v1/result-export", export_results),
          about_many("CountResults", "/andon/v1/result-counts", count),
          row("GetShifts", "GET", "/andon/v1/result-shifts", get_shifts),
          row("PutShifts", "PUT", "/andon/v1/result-shifts", put_shifts)};
}

}  // namespace andon::api
