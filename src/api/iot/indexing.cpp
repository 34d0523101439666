// SPDX-License-Identifier: Apache-2.0
// Fleet indexing, as AWS IoT has it, and the groups that are made of a query.
#include <utility>

#include "api/iot/rows.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "control/index/aggregates.hpp"
#include "control/index/index_settings.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;
using control::IndexKind;
using control::ThingIndex;
namespace json = base::json;

constexpr PageLimits kPages{100, 500};
constexpr std::string_view kQueryVersion = "2017-09-30";
constexpr std::string_view kDynamic = "/dynamic-thing-groups/{thingGroupName}";
constexpr std::int64_t kMostBuckets = 10'000;

// A query that is wrong has a code of its own, and so has an index that is off.
template <typename Act>
auto as_query(Act act) {
  return naming(ErrorCode::failed_precondition, 400, "IndexNotReadyException", [&] {
    return naming(ErrorCode::unsupported, 400, "InvalidQueryException", [&] {
      return naming(ErrorCode::invalid_argument, 400, "InvalidQueryException", act);
    });
  });
}

void check_query_version(const json::object& input) {
  (void)word_or_empty(input, "queryVersion", {kQueryVersion});
}

std::string index_of(const json::object& input) {
  const std::string name = text_or_empty(input, "indexName");
  return name.empty() ? std::string(control::kThingsIndex) : name;
}

json::value get_settings(const control::ControlPlane& control,
                         const OperationContext& /*context*/) {
  return control.index.settings();
}

json::value set_settings(control::ControlPlane& control, const OperationContext& context) {
  control.index.set_settings(context.input);
  return json::object{};
}

json::value describe_index(const control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "indexName");
  const IndexKind kind = ThingIndex::kind_of(name);
  if (!control.index.is_on(kind)) {
    throw Error(ErrorCode::not_found, "index \"" + name + "\" is switched off");
  }
  return json::object{
      {"indexName", name},
      {"indexStatus", "ACTIVE"},
      {"schema", kind == IndexKind::things ? control::thing_schema(control.index.settings())
                                           : std::string_view("THING_GROUPS")}};
}

json::value list_indices(const control::ControlPlane& control, const OperationContext& context) {
  (void)read_page(context.input, kPages);
  json::array names;
  if (control.index.is_on(IndexKind::things)) names.emplace_back(control::kThingsIndex);
  if (control.index.is_on(IndexKind::thing_groups)) {
    names.emplace_back(control::kThingGroupsIndex);
  }
  return json::object{{"indexNames", std::move(names)}};
}

json::object describe(const control::ThingDocument& thing) {
  json::object output{{"thingName", thing.name},
                      {"thingId", thing.id},
                      {"thingGroupNames", to_array(thing.groups)},
                      {"attributes", to_object(thing.attributes)}};
  put_unless_empty(output, "thingTypeName", thing.type_name);
  if (thing.connectivity) {
    json::object connectivity{{"connected", thing.connectivity->is_connected},
                              {"timestamp", base::to_epoch_millis(thing.connectivity->changed)}};
    put_unless_empty(connectivity, "disconnectReason", thing.connectivity->reason);
    output["connectivity"] = std::move(connectivity);
  }
  return output;
}

json::value connectivity(const control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingName");
  const auto found = as_query([&] {
    return control.index.search("thingName:\"" + name + "\"", {.limit = 1, .after = {}});
  });
  if (found.items.empty()) {
    throw Error(ErrorCode::not_found, "there is no thing \"" + name + "\"");
  }
  json::object output{{"thingName", name}, {"connected", false}};
  if (const auto& seen = found.items.front().connectivity) {
    output["connected"] = seen->is_connected;
    output["timestamp"] = base::to_epoch_seconds(seen->changed);
    put_unless_empty(output, "disconnectReason", seen->reason);
  }
  return output;
}

json::object describe(const control::GroupDocument& group) {
  json::object output{{"thingGroupName", group.name},
                      {"thingGroupId", group.id},
                      {"attributes", to_object(group.attributes)},
                      {"parentGroupNames", to_array(group.ancestors)}};
  put_unless_empty(output, "thingGroupDescription", group.description);
  return output;
}

json::value search(const control::ControlPlane& control, const OperationContext& context) {
  check_query_version(context.input);
  const std::string query = required_text(context.input, "queryString");
  const control::PageRequest page = read_page(context.input, kPages);
  json::array found;
  std::optional<std::string> next;
  const auto take = [&](const auto& result) {
    for (const auto& one : result.items) found.emplace_back(describe(one));
    next = result.next;
  };
  const bool is_things = ThingIndex::kind_of(index_of(context.input)) == IndexKind::things;
  as_query([&] {
    if (is_things) {
      take(control.index.search(query, page));
    } else {
      take(control.index.search_groups(query, page));
    }
  });
  json::object output{{is_things ? "things" : "thingGroups", std::move(found)}};
  put_next(output, next);
  return output;
}

ThingIndex::Values read_values(const control::ControlPlane& control, const json::object& input,
                               const std::string& standard_field) {
  check_query_version(input);
  const std::string query = required_text(input, "queryString");
  const std::string field = text_or_empty(input, "aggregationField");
  const IndexKind kind = ThingIndex::kind_of(index_of(input));
  if (!field.empty()) {
    naming(ErrorCode::unsupported, 400, "InvalidAggregationException", [&] {
      naming(ErrorCode::invalid_argument, 400, "InvalidAggregationException",
             [&] { control::check_field(field, kind); });
    });
  }
  return as_query(
      [&] { return control.index.values(query, field.empty() ? standard_field : field, kind); });
}

std::string name_field(const json::object& input) {
  return ThingIndex::kind_of(index_of(input)) == IndexKind::things ? "thingName" : "thingGroupName";
}

json::value statistics(const control::ControlPlane& control, const OperationContext& context) {
  const auto found =
      control::statistics_of(read_values(control, context.input, name_field(context.input)).values);
  json::object output{{"count", found.count}};
  if (found.numbers) {
    output["average"] = found.numbers->average;
    output["sum"] = found.numbers->sum;
    output["minimum"] = found.numbers->minimum;
    output["maximum"] = found.numbers->maximum;
    output["sumOfSquares"] = found.numbers->sum_of_squares;
    output["variance"] = found.numbers->variance;
    output["stdDeviation"] = found.numbers->deviation;
  }
  return json::object{{"statistics", std::move(output)}};
}

json::value cardinality(const control::ControlPlane& control, const OperationContext& context) {
  return json::object{
      {"cardinality", control::cardinality_of(
                          read_values(control, context.input, name_field(context.input)).values)}};
}

json::value percentiles(const control::ControlPlane& control, const OperationContext& context) {
  std::vector<double> percents{1, 5, 25, 50, 75, 95, 99};
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  if (const json::array* given = reader.optional_array("percents")) {
    percents.clear();
    for (const json::value& one : *given) {
      if (!one.is_number() || one.to_number<double>() < 0 || one.to_number<double>() > 100 ||
          percents.size() == 100) {
        reader.fail("percents", "must be at most 100 numbers from 0 to 100");
      }
      percents.push_back(one.to_number<double>());
    }
  }
  json::array output;
  for (const auto& [percent, value] : control::percentiles_of(
           read_values(control, context.input, name_field(context.input)).values, percents)) {
    output.emplace_back(json::object{{"percent", percent}, {"value", value}});
  }
  return json::object{{"percentiles", std::move(output)}};
}

json::value buckets(const control::ControlPlane& control, const OperationContext& context) {
  (void)required_text(context.input, "aggregationField");
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  const auto most = reader.child("bucketsAggregationType")
                        .child_or_empty("termsAggregation")
                        .optional_integer("maxBuckets", 1, kMostBuckets)
                        .value_or(10);
  const auto found = read_values(control, context.input, "");
  json::array output;
  for (const auto& bucket : control::buckets_of(found.values, static_cast<std::size_t>(most))) {
    output.emplace_back(json::object{{"keyValue", bucket.value}, {"count", bucket.count}});
  }
  return json::object{{"totalCount", found.matched}, {"buckets", std::move(output)}};
}

struct Wanted {
  std::optional<std::string> description;
  std::optional<std::map<std::string, std::string>> attributes;
  bool merges = false;
};
Wanted read_group(const json::object& input) {
  check_query_version(input);
  if (ThingIndex::kind_of(index_of(input)) != IndexKind::things) {
    throw Error(ErrorCode::invalid_argument, "indexName: must be AWS_Things");
  }
  const base::JsonReader properties =
      base::JsonReader(input, "").child_or_empty("thingGroupProperties");
  Wanted wanted;
  wanted.description = properties.optional_string("thingGroupDescription");
  if (const json::object* payload = properties.optional_object("attributePayload")) {
    wanted.attributes = text_map(*payload, "attributes");
    wanted.merges = flag(*payload, "merge");
  }
  return wanted;
}

json::value create_group(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingGroupName");
  const std::string query = required_text(context.input, "queryString");
  const Wanted wanted = read_group(context.input);
  const auto group = as_query([&] {
    return naming(ErrorCode::resource_exhausted, 410, "LimitExceededException", [&] {
      return control.dynamic_groups.create(name, query, wanted.description.value_or(""),
                                           wanted.attributes.value_or(control::TagMap{}));
    });
  });
  if (context.input.contains("tags")) control.tags.set(group.arn, read_iot_tags(context.input));
  return json::object{{"thingGroupName", group.name}, {"thingGroupArn", group.arn},
                      {"thingGroupId", group.id},     {"indexName", control::kThingsIndex},
                      {"queryString", query},         {"queryVersion", kQueryVersion}};
}

json::value update_group(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingGroupName");
  const Wanted wanted = read_group(context.input);
  const std::string query = text_or_empty(context.input, "queryString");
  control::ThingGroupUpdate change{
      .description = wanted.description,
      .attributes = wanted.attributes,
      .merges_attributes = wanted.merges,
      .expected_version = optional_number(context.input, "expectedVersion"),
      .query = query.empty() ? std::nullopt : std::optional(query)};
  const std::int64_t version = naming(ErrorCode::invalid_argument, 400, "InvalidQueryException",
                                      [&] { return control.dynamic_groups.update(name, change); });
  return json::object{{"version", version}};
}

json::value delete_group(control::ControlPlane& control, const OperationContext& context) {
  const std::string name = required_text(context.input, "thingGroupName");
  const auto group = control.things.find_group(name);
  if (group && !group->query) {
    throw Error(ErrorCode::invalid_argument,
                "thing group \"" + name + "\" is not dynamic: DeleteThingGroup deletes it");
  }
  control.things.remove_group(name, optional_number(context.input, "expectedVersion"));
  return json::object{};
}

}  // namespace

std::vector<Operation> indexing_operations(control::ControlPlane& control) {
  return {
      iot_row(control, "GetIndexingConfiguration", "GET", "/indexing/config", get_settings),
      iot_row(control, "UpdateIndexingConfiguration", "POST", "/indexing/config", set_settings),
      iot_row(control, "DescribeIndex", "GET", "/indices/{indexName}", describe_index),
      iot_row(control, "ListIndices", "GET", "/indices", list_indices),
      iot_row(control, "SearchIndex", "POST", "/indices/search", search),
      iot_row(control, "GetThingConnectivityData", "POST", "/things/{thingName}/connectivity-data",
              connectivity),
      iot_row(control, "GetStatistics", "POST", "/indices/statistics", statistics),
      iot_row(control, "GetCardinality", "POST", "/indices/cardinality", cardinality),
      iot_row(control, "GetPercentiles", "POST", "/indices/percentiles", percentiles),
      iot_row(control, "GetBucketsAggregation", "POST", "/indices/buckets", buckets),
      iot_row(control, "CreateDynamicThingGroup", "POST", kDynamic, create_group),
      iot_row(control, "UpdateDynamicThingGroup", "PATCH", kDynamic, update_group),
      iot_row(control, "DeleteDynamicThingGroup", "DELETE", kDynamic, delete_group),
  };
}

}  // namespace andon::api
