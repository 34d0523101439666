// SPDX-License-Identifier: Apache-2.0
// API destinations.
#include "api/events/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::event_rows {
namespace {

using events::Destination;

std::string name_of(const OperationContext& context) {
  return *maybe_text(context.input, "Name");
}

// What every answer has.
json::object outline(const EventParts& parts, const Destination& one) {
  return {{"ApiDestinationArn", parts.queue.arns().api_destination(one.name, one.id)},
          {"ApiDestinationState", "ACTIVE"},
          {"CreationTime", base::to_epoch_seconds(one.created)},
          {"LastModifiedTime", base::to_epoch_seconds(one.modified)}};
}

json::object described(const EventParts& parts, const Destination& one) {
  json::object told = outline(parts, one);
  told["Name"] = one.name;
  told["ConnectionArn"] = one.connection_arn;
  told["InvocationEndpoint"] = one.endpoint;
  told["HttpMethod"] = one.method;
  if (one.calls_a_second) told["InvocationRateLimitPerSecond"] = *one.calls_a_second;
  return told;
}

void check_connection(const EventParts& parts, const std::string& arn) {
  const auto ref = fleet::parse_connection_arn(arn);
  if (!ref || !parts.connections.authorization(ref->name, ref->id)) {
    throw base::Error(base::ErrorCode::not_found,
                      "Connection '" + arn.substr(0, 200) + "' does not exist.");
  }
}

void change(const EventParts& parts, const json::object& input, Destination& one) {
  if (const auto text = maybe_text(input, "Description")) one.description = *text;
  if (const auto text = maybe_text(input, "ConnectionArn")) {
    check_connection(parts, *text);
    one.connection_arn = *text;
  }
  if (const auto text = maybe_text(input, "InvocationEndpoint")) one.endpoint = *text;
  if (const auto text = maybe_text(input, "HttpMethod")) one.method = *text;
}

json::value create(const EventParts& parts, const OperationContext& context) {
  Destination one{.name = name_of(context)};
  change(parts, context.input, one);
  return outline(parts, parts.destinations.create(one));
}

json::value update(const EventParts& parts, const OperationContext& context) {
  return outline(parts, parts.destinations.update(name_of(context), [&](Destination& one) {
    change(parts, context.input, one);
  }));
}

json::value describe(const EventParts& parts, const OperationContext& context) {
  const Destination one = parts.destinations.destination(name_of(context));
  json::object told = described(parts, one);
  put_unless_empty(told, "Description", one.description);
  return told;
}

json::value remove(const EventParts& parts, const OperationContext& context) {
  parts.destinations.remove(name_of(context));
  return json::object{};
}

json::value list(const EventParts& parts, const OperationContext& context) {
  const PageOf page = read_page(context.input);
  auto all = parts.destinations.list(maybe_text(context.input, "NamePrefix").value_or(""),
                                     maybe_text(context.input, "ConnectionArn").value_or(""),
                                     page.after, page.limit + 1);
  json::object output{{"ApiDestinations", json::array()}};
  end_page(output, page, all, [](const Destination& one) { return one.name; });
  for (const Destination& one : all) {
    output["ApiDestinations"].as_array().push_back(described(parts, one));
  }
  return output;
}

}  // namespace

std::vector<Operation> destination_rows(const EventParts& parts) {
  const MemberRule name = needed(text("Name", 1, 64));
  const MemberRule description = text("Description", 0, 512);
  const MemberRule connection = text("ConnectionArn", 1, 1600);
  const MemberRule endpoint = text("InvocationEndpoint", 1, 2048);
  const MemberRule method =
      word("HttpMethod", {"POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"});
  return {
      row(parts, "CreateApiDestination",
          {name, description, needed(connection), needed(endpoint), needed(method)}, create),
      row(parts, "UpdateApiDestination", {name, description, connection, endpoint, method}, update),
      row(parts, "DescribeApiDestination", {name}, describe),
      row(parts, "DeleteApiDestination", {name}, remove),
      row(parts, "ListApiDestinations", with_page({text("NamePrefix", 1, 64), connection}), list)};
}

}  // namespace andon::api::event_rows
