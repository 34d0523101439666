// SPDX-License-Identifier: Apache-2.0
#include "api/athena/athena.hpp"

#include <utility>

#include "api/constraints/constraints.hpp"
#include "api/constraints/rows.hpp"
#include "api/glue/glue.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
using features::QueryExecution;

constexpr base::JsonReading kReading{.separator = ": "};
constexpr std::string_view kWorkGroup = "primary";
constexpr std::string_view kEngine = "SQLite";
constexpr std::int64_t kMostSql = 262'144;
constexpr std::int64_t kMostPage = 50;
constexpr std::int64_t kMostRows = 1'000;
constexpr int kBadRequest = 400;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, problem);
}

void check_work_group(const json::object& input) {
  const std::string name = text_or_empty(input, "WorkGroup");
  if (!name.empty() && name != kWorkGroup) {
    refuse("WorkGroup " + name.substr(0, 128) + " is not found; there is only primary");
  }
}

QueryExecution required(const AthenaParts& parts, const std::string& id) {
  auto execution = parts.queries.executions.find(id);
  if (!execution) refuse("QueryExecution " + id.substr(0, 128) + " was not found");
  return *std::move(execution);
}

std::string read_output_location(const JsonReader& reader) {
  if (!reader.has("ResultConfiguration")) {
    refuse(
        "No output location provided. An output location is required: give "
        "ResultConfiguration.OutputLocation");
  }
  return reader.child("ResultConfiguration").required_text("OutputLocation");
}

json::value start(const AthenaParts& parts, const OperationContext& context) {
  check_members(context.input,
                {rules::needed(rules::text("QueryString", 1, kMostSql)),
                 rules::text("ClientRequestToken", 32, 128)},
                "InvalidRequestException");
  check_work_group(context.input);
  const JsonReader reader(context.input, "", kReading);
  features::QueryRequest request{.sql = reader.required_text("QueryString"),
                                 .output_location = read_output_location(reader)};
  if (reader.has("QueryExecutionContext")) {
    const JsonReader asked = reader.child("QueryExecutionContext");
    request.database = asked.optional_string("Database").value_or("");
    request.catalog = asked.optional_string("Catalog").value_or("");
    if (!request.catalog.empty() &&
        base::to_lower(request.catalog) != base::to_lower(features::kCatalog)) {
      refuse("Catalog " + request.catalog.substr(0, 256) + " is not found; there is only " +
             std::string(features::kCatalog));
    }
  }
  const auto may_read = [&](const features::OfflineTable& table) -> std::optional<std::string> {
    for (const std::string& resource : table_resources(parts.arns, table.database, table.name)) {
      if (auto why = refusal(parts.authorizer, context.caller, "glue:GetTable", resource)) {
        return why;
      }
    }
    return std::nullopt;
  };
  const auto check_output = [&](const std::string& bucket, const std::string& key) {
    if (auto why = refusal(parts.authorizer, context.caller, "s3:PutObject",
                           "arn:aws:s3:::" + bucket + "/" + key)) {
      throw ServiceError(kBadRequest, "AccessDeniedException", *why);
    }
    if (!parts.objects.has_bucket(bucket)) {
      refuse("Unable to verify/create output bucket " + bucket + ": it does not exist");
    }
  };
  const auto execution = parts.queries.start(
      std::move(request), maybe_text(context.input, "ClientRequestToken"), may_read, check_output);
  return json::object{{"QueryExecutionId", execution.id}};
}

std::int64_t millis_between(base::Timestamp from, base::Timestamp until) {
  return std::max<std::int64_t>(0, (until - from).count());
}

json::object status_of(const QueryExecution& one) {
  json::object status{{"State", features::to_string(one.state)},
                      {"SubmissionDateTime", base::to_epoch_seconds(one.submitted)}};
  put_unless_empty(status, "StateChangeReason", one.reason);
  if (one.completed) status["CompletionDateTime"] = base::to_epoch_seconds(*one.completed);
  if (one.error_category != 0) {
    constexpr int kGeneric = 1'200;
    status["AthenaError"] = json::object{{"ErrorCategory", one.error_category},
                                         {"ErrorType", kGeneric},
                                         {"Retryable", one.error_category == 1},
                                         {"ErrorMessage", one.reason}};
  }
  return status;
}

json::object statistics_of(const QueryExecution& one) {
  json::object statistics{
      {"DataScannedInBytes", one.scanned_bytes},
      {"ResultReuseInformation", json::object{{"ReusedPreviousResult", false}}}};
  if (one.started) {
    statistics["QueryQueueTimeInMillis"] = millis_between(one.submitted, *one.started);
  }
  if (one.completed) {
    statistics["TotalExecutionTimeInMillis"] = millis_between(one.submitted, *one.completed);
    statistics["EngineExecutionTimeInMillis"] =
        one.started ? millis_between(*one.started, *one.completed) : 0;
  }
  return statistics;
}

json::object told(const QueryExecution& one) {
  json::object context;
  put_unless_empty(context, "Database", one.request.database);
  put_unless_empty(context, "Catalog", one.request.catalog);
  return {{"QueryExecutionId", one.id},
          {"Query", one.request.sql},
          {"StatementType", "DML"},
          {"SubstatementType", "SELECT"},
          {"ResultConfiguration",
           json::object{{"OutputLocation", "s3://" + one.bucket + "/" + one.object}}},
          {"QueryExecutionContext", std::move(context)},
          {"Status", status_of(one)},
          {"Statistics", statistics_of(one)},
          {"WorkGroup", kWorkGroup},
          {"EngineVersion",
           json::object{{"SelectedEngineVersion", "AUTO"}, {"EffectiveEngineVersion", kEngine}}}};
}

json::value get(const AthenaParts& parts, const OperationContext& context) {
  return json::object{
      {"QueryExecution", told(required(parts, required_text(context.input, "QueryExecutionId")))}};
}

json::value batch_get(const AthenaParts& parts, const OperationContext& context) {
  const auto ids = text_list(context.input, "QueryExecutionIds");
  if (ids.empty() || ids.size() > static_cast<std::size_t>(kMostPage)) {
    refuse("QueryExecutionIds must have 1 to 50 items");
  }
  json::array found;
  json::array missing;
  for (const std::string& id : ids) {
    if (const auto one = parts.queries.executions.find(id)) {
      found.push_back(told(*one));
      continue;
    }
    missing.push_back(json::object{{"QueryExecutionId", id.substr(0, 128)},
                                   {"ErrorCode", "INVALID_INPUT"},
                                   {"ErrorMessage", "QueryExecution was not found"}});
  }
  return json::object{{"QueryExecutions", std::move(found)},
                      {"UnprocessedQueryExecutionIds", std::move(missing)}};
}

// What a list's token says, as a number.
std::uint64_t read_token(const json::object& input) {
  const std::string token = text_or_empty(input, "NextToken");
  if (token.empty()) return 0;
  const auto key = from_page_token(token);
  const auto number = key ? base::parse_uint64(*key) : std::nullopt;
  if (!number) refuse("NextToken is not one that this list gave; start anew without it");
  return *number;
}

json::value list(const AthenaParts& parts, const OperationContext& context) {
  check_work_group(context.input);
  const JsonReader reader(context.input, "", kReading);
  const auto asked = reader.optional_integer("MaxResults", 0, kMostPage).value_or(kMostPage);
  const auto limit = static_cast<std::size_t>(asked == 0 ? kMostPage : asked);
  const auto before = static_cast<std::int64_t>(read_token(context.input) >> 1U);
  auto found = parts.queries.executions.list(before, limit + 1);
  json::array ids;
  for (std::size_t i = 0; i < found.size() && i < limit; ++i) ids.emplace_back(found[i].id);
  json::object output{{"QueryExecutionIds", std::move(ids)}};
  if (found.size() > limit) {
    // Even, so that no token is "0", which is the beginning.
    output["NextToken"] = to_page_token(std::to_string(found[limit - 1].number << 1U));
  }
  return output;
}

json::value stop(const AthenaParts& parts, const OperationContext& context) {
  const std::string id = required_text(context.input, "QueryExecutionId");
  (void)required(parts, id);
  parts.queries.cancel(id);
  return json::object();
}

json::object column_info(const features::ResultColumn& column) {
  constexpr int kLongest = 2'147'483'647;
  constexpr int kDouble = 17;
  constexpr int kBigint = 19;
  constexpr int kTimestamp = 3;
  const int precision = column.type == "bigint"      ? kBigint
                        : column.type == "double"    ? kDouble
                        : column.type == "timestamp" ? kTimestamp
                        : column.type == "boolean"   ? 0
                                                     : kLongest;
  return {{"CatalogName", "hive"},  {"SchemaName", ""},
          {"TableName", ""},        {"Name", column.name},
          {"Label", column.name},   {"Type", column.type},
          {"Precision", precision}, {"Scale", 0},
          {"Nullable", "UNKNOWN"},  {"CaseSensitive", column.type == "varchar"}};
}

json::value results(const AthenaParts& parts, const OperationContext& context) {
  const JsonReader reader(context.input, "", kReading);
  const auto limit = reader.optional_integer("MaxResults", 1, kMostRows).value_or(kMostRows);
  const std::string kind =
      word_or_empty(context.input, "QueryResultType", {"DATA_ROWS", "DATA_MANIFEST"});
  if (kind == "DATA_MANIFEST") refuse("QueryResultType: only DATA_ROWS is supported");
  const QueryExecution execution =
      required(parts, required_text(context.input, "QueryExecutionId"));
  // As Athena does: the result is an object, which others may not read.
  if (auto why = refusal(parts.authorizer, context.caller, "s3:GetObject",
                         "arn:aws:s3:::" + execution.bucket + "/" + execution.object)) {
    throw ServiceError(kBadRequest, "AccessDeniedException", *why);
  }
  features::ResultPage page;
  try {
    page = parts.queries.results(execution, read_token(context.input),
                                 static_cast<std::size_t>(limit));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::internal) throw;
    refuse(error.message());
  }
  json::array columns;
  for (const auto& column : page.columns) columns.push_back(column_info(column));
  json::array rows;
  for (const features::CsvRow& row : page.rows) {
    json::array data;
    for (const auto& value : row) {
      json::object datum;
      if (value) datum["VarCharValue"] = *value;
      data.push_back(std::move(datum));
    }
    rows.push_back(json::object{{"Data", std::move(data)}});
  }
  json::object output{
      {"UpdateCount", 0},
      {"ResultSet",
       json::object{{"Rows", std::move(rows)},
                    {"ResultSetMetadata", json::object{{"ColumnInfo", std::move(columns)}}}}}};
  if (page.next) output["NextToken"] = to_page_token(std::to_string(*page.next));
  return output;
}

json::value work_group(const AthenaParts&, const OperationContext& context) {
  if (required_text(context.input, "WorkGroup") != kWorkGroup) check_work_group(context.input);
  return json::object{
      {"WorkGroup",
       json::object{
           {"Name", kWorkGroup},
           {"State", "ENABLED"},
           {"Configuration",
            json::object{{"ResultConfiguration", json::object()},
                         {"EnforceWorkGroupConfiguration", false},
                         {"PublishCloudWatchMetricsEnabled", false},
                         {"RequesterPaysEnabled", false},
                         {"EngineVersion", json::object{{"SelectedEngineVersion", "AUTO"},
                                                        {"EffectiveEngineVersion", kEngine}}}}}}}};
}

}  // namespace

std::vector<Operation> athena_operations(const AthenaParts& parts) {
  using Work = json::value (*)(const AthenaParts&, const OperationContext&);
  const auto row = [&parts](std::string_view name, Work work) {
    return json_row({"athena"}, name, parts, work);
  };
  return {row("StartQueryExecution", start),        row("GetQueryExecution", get),
          row("BatchGetQueryExecution", batch_get), row("ListQueryExecutions", list),
          row("StopQueryExecution", stop),          row("GetQueryResults", results),
          row("GetWorkGroup", work_group)};
}

}  // namespace andon::api
