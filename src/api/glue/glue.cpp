// SPDX-License-Identifier: Apache-2.0
#include "api/glue/glue.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "api/constraints/constraints.hpp"
#include "api/constraints/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using base::JsonReader;
using features::FeatureType;
using features::OfflineTable;

constexpr base::JsonReading kReading{.separator = ": "};
constexpr std::int64_t kMostPage = 100;

[[noreturn]] void refuse(const std::string& problem) {
  throw Error(ErrorCode::invalid_argument, problem);
}

void check_catalog(const GlueParts& parts, const json::object& input) {
  const std::string catalog = text_or_empty(input, "CatalogId");
  if (!catalog.empty() && catalog != parts.arns.account()) {
    throw Error(ErrorCode::not_found, "Catalog " + catalog.substr(0, 255) + " not found.");
  }
}

json::object column(std::string_view name, std::string_view type) {
  return {{"Name", name}, {"Type", type}};
}

std::string_view glue_type(FeatureType type) {
  switch (type) {
    case FeatureType::integral:
      return "bigint";
    case FeatureType::fractional:
      return "double";
    case FeatureType::text:
      break;
  }
  return "string";
}

json::object told(const GlueParts& parts, const OfflineTable& table) {
  json::array columns;
  for (const features::Feature& one : table.columns) {
    columns.push_back(column(base::to_lower(one.name), glue_type(one.type)));
  }
  columns.push_back(column(features::kWriteTime, "timestamp"));
  columns.push_back(column(features::kInvocationTime, "timestamp"));
  columns.push_back(column(features::kIsDeleted, "boolean"));
  return {
      {"Name", table.name},
      {"DatabaseName", table.database},
      {"Description", "the offline store of feature group " + table.group},
      {"CreateTime", base::to_epoch_seconds(table.created)},
      {"UpdateTime", base::to_epoch_seconds(table.modified)},
      {"Retention", 0},
      {"StorageDescriptor",
       json::object{{"Columns", std::move(columns)},
                    {"Location", table.location},
                    {"InputFormat", "org.apache.hadoop.mapred.TextInputFormat"},
                    {"OutputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"},
                    {"Compressed", false},
                    {"SerdeInfo",
                     json::object{{"SerializationLibrary", "org.openx.data.jsonserde.JsonSerDe"}}},
                    {"StoredAsSubDirectories", false}}},
      {"PartitionKeys", json::array{column("year", "string"), column("month", "string"),
                                    column("day", "string"), column("hour", "string")}},
      {"TableType", "EXTERNAL_TABLE"},
      {"Parameters", json::object{{"EXTERNAL", "TRUE"}, {"classification", "json"}}},
      {"CatalogId", parts.arns.account()}};
}

// A page of what has a name, in their order; the token is the last name.
template <typename Item, typename Name, typename Tell>
json::object page_of(const json::object& input, std::string_view member,
                     const std::vector<Item>& all, const Name& name, const Tell& tell) {
  const JsonReader reader(input, "", kReading);
  const auto limit = static_cast<std::size_t>(
      reader.optional_integer("MaxResults", 1, kMostPage).value_or(kMostPage));
  const std::string token = text_or_empty(input, "NextToken");
  std::string after;
  if (!token.empty()) {
    const auto key = from_page_token(token);
    if (!key) refuse("NextToken is not one that this list gave; start anew without it");
    after = *key;
  }
  json::array items;
  std::string last;
  bool is_more = false;
  for (const Item& one : all) {
    if (name(one) <= after) continue;
    if (items.size() == limit) {
      is_more = true;
      break;
    }
    last = name(one);
    items.push_back(tell(one));
  }
  json::object output{{member, std::move(items)}};
  if (is_more) output["NextToken"] = to_page_token(last);
  return output;
}

std::vector<std::string> databases(const GlueParts& parts) {
  std::set<std::string> names{std::string(features::kDefaultDatabase)};
  for (const OfflineTable& table : parts.features.groups.tables()) names.insert(table.database);
  return {names.begin(), names.end()};
}

std::string required_database(const GlueParts& parts, const std::string& asked) {
  std::string name = asked;  // as it was authorized, so in lower case only
  const auto all = databases(parts);
  if (std::ranges::find(all, name) == all.end()) {
    throw Error(ErrorCode::not_found, "Database " + asked.substr(0, 255) + " not found.");
  }
  return name;
}

json::object told_database(const GlueParts& parts, const std::string& name) {
  return {{"Name", name},
          {"Description", "the offline stores of feature groups"},
          {"CatalogId", parts.arns.account()}};
}

json::value get_database(const GlueParts& parts, const OperationContext& context) {
  check_catalog(parts, context.input);
  const std::string name = required_database(parts, required_text(context.input, "Name"));
  return json::object{{"Database", told_database(parts, name)}};
}

json::value get_databases(const GlueParts& parts, const OperationContext& context) {
  check_catalog(parts, context.input);
  return page_of(
      context.input, "DatabaseList", databases(parts), [](const std::string& name) { return name; },
      [&](const std::string& name) { return told_database(parts, name); });
}

// "*" stands for any characters.
bool fits(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() == '*') {
    return fits(name, pattern.substr(1)) || (!name.empty() && fits(name.substr(1), pattern));
  }
  return !name.empty() && pattern.front() == name.front() &&
         fits(name.substr(1), pattern.substr(1));
}

// AWS has a regular expression there; what people write is a name, and "x.*" or "x*" behind it.
bool fits_expression(const std::string& name, std::string expression) {
  if (expression.empty()) return true;
  constexpr std::string_view kAny = ".*";
  for (std::size_t at = 0; (at = expression.find(kAny, at)) != std::string::npos; ++at) {
    expression.replace(at, kAny.size(), "*");
  }
  const auto is_known = [](char c) {
    return base::is_letter_or_digit(c) || c == '_' || c == '-' || c == '*';
  };
  if (std::ranges::count(expression, '*') > 4 || !std::ranges::all_of(expression, is_known)) {
    refuse("Expression: letters, digits, '_', '-' and up to four '*' (or '.*') are supported");
  }
  return fits(name, base::to_lower(expression));
}

json::value get_tables(const GlueParts& parts, const OperationContext& context) {
  check_catalog(parts, context.input);
  const std::string database =
      required_database(parts, required_text(context.input, "DatabaseName"));
  const std::string expression = text_or_empty(context.input, "Expression");
  auto tables = parts.features.groups.tables();
  std::erase_if(tables, [&](const OfflineTable& table) {
    if (table.database != database || !fits_expression(table.name, expression)) return true;
    const auto resources = table_resources(parts.arns, table.database, table.name);
    return refusal(parts.authorizer, context.caller, "glue:GetTables", resources.back())
        .has_value();
  });
  return page_of(
      context.input, "TableList", tables, [](const OfflineTable& table) { return table.name; },
      [&](const OfflineTable& table) { return told(parts, table); });
}

json::value get_table(const GlueParts& parts, const OperationContext& context) {
  check_catalog(parts, context.input);
  const std::string database =
      required_database(parts, required_text(context.input, "DatabaseName"));
  const std::string name = required_text(context.input, "Name");
  const auto table = parts.features.groups.find_table(database, name);
  if (!table) throw Error(ErrorCode::not_found, "Table " + name.substr(0, 255) + " not found.");
  return json::object{{"Table", told(parts, *table)}};
}

json::value delete_table(const GlueParts& parts, const OperationContext& context) {
  check_catalog(parts, context.input);
  const std::string database =
      required_database(parts, required_text(context.input, "DatabaseName"));
  parts.features.groups.remove_table(database, required_text(context.input, "Name"));
  return json::object();
}

}  // namespace

std::vector<std::string> table_resources(const fleet::Arns& arns, const std::string& database,
                                         const std::string& table) {
  const std::string begin = "arn:aws:glue:" + arns.region() + ":" + arns.account() + ":";
  return {begin + "catalog", begin + "database/" + database,
          begin + "table/" + database + "/" + table};
}

std::vector<Operation> glue_operations(const GlueParts& parts) {
  using Work = json::value (*)(const GlueParts&, const OperationContext&);
  const auto row = [&parts](std::string_view name, Work work) {
    return json_row({"glue"}, name, parts, work);
  };
  return {row("GetDatabase", get_database), row("GetDatabases", get_databases),
          row("GetTables", get_tables), row("GetTable", get_table),
          row("DeleteTable", delete_table)};
}

}  // namespace andon::api
