// SPDX-License-Identifier: Apache-2.0
#include "api/results/results.hpp"

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
constexpr std::size_t kMaxText = 256;
constexpr std::size_t kMaxNote = 2000;

[[noreturn]] void refuse(const std::string& message) {
  throw Error(ErrorCode::invalid_argument, message);
}

std::string short_text(const json::object& input, std::string_view key,
                       std::size_t most = kMaxText) {
  return bounded_text(input, key, most);
}

control::ResultFilter read_filter(const json::object& input) {
  control::ResultFilter filter{.thing = short_text(input, "thing"),
                               .label = short_text(input, "class"),
                               .verdict = short_text(input, "verdict"),
                               .least_score = {}};
  if (const auto from = optional_time_ms(input, "from")) filter.from_ms = *from;
  if (const auto until = optional_time_ms(input, "until")) filter.until_ms = *until;
  const std::string score = text_or_empty(input, "minScore");
  if (!score.empty()) {
    filter.least_score = base::parse_number(score);
    if (!filter.least_score || !std::isfinite(*filter.least_score)) {
      refuse("minScore: must be a number");
    }
  }
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

json::value list(Results& results, const OperationContext& context) {
  // Before the list: who goes on from here misses nothing.
  const std::int64_t newest = results.newest_id();
  const control::ResultPage page = results.list(read_question(context.input, kList));
  const bool with_messages = flag(context.input, "includeMessages");
  json::array all;
  for (const StoredResult& stored : page.results) all.push_back(described(stored, with_messages));
  json::object output{{"results", std::move(all)}, {"newestId", std::to_string(newest)}};
  if (page.next) output["nextToken"] = to_page_token(place_text(*page.next));
  return output;
}

json::value get(Results& results, const OperationContext& context) {
  const std::int64_t id = read_id(context.input);
  const auto stored = results.find(id);
  if (!stored) throw Error(ErrorCode::not_found, "there is no result " + std::to_string(id));
  json::object output = described(*stored, true);
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

json::value count(Results& results, const OperationContext& context) {
  const auto page = results.counts(read_filter(context.input), read_page(context.input, kCounts));
  json::array counts;
  for (const control::HourCount& one : page.items) {
    counts.push_back(json::object{{"thing", one.thing},
                                  {"hour", base::to_iso8601(one.hour)},
                                  {"class", one.label},
                                  {"count", one.count}});
  }
  json::object output{{"counts", std::move(counts)}};
  put_next(output, page.next);
  return output;
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

std::vector<Operation> result_operations(Results& results) {
  using Work = json::value (*)(Results&, const OperationContext&);
  const auto row = [&results](std::string_view name, std::string_view method, std::string_view path,
                              Work work) {
    return own_row(name, method, path, std::ref(results), work);
  };
  return {row("ListResults", "GET", "/andon/v1/results", list),
          row("GetResult", "GET", "/andon/v1/results/{resultId}", get),
          row("ConfirmResult", "POST", "/andon/v1/results/{resultId}/confirm", confirm),
          row("OverruleResult", "POST", "/andon/v1/results/{resultId}/overrule", overrule),
          row("ExportResults", "GET", "/andon/v1/result-export", export_results),
          row("CountResults", "GET", "/andon/v1/result-counts", count)};
}

}  // namespace andon::api
