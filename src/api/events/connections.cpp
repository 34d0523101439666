// SPDX-License-Identifier: Apache-2.0
// Connections: who says so when an HTTP endpoint is called.
#include "api/events/rows.hpp"
#include "base/error/error.hpp"

namespace andon::api::event_rows {
namespace {

using base::Error;
using base::ErrorCode;
using control::Connection;

void refuse_unsupported(const json::object& input) {
  for (const char* key : {"InvocationConnectivityParameters", "KmsKeyIdentifier"}) {
    const auto* value = input.if_contains(key);
    if (value != nullptr && !value->is_null()) {
      throw Error(ErrorCode::unsupported, std::string(key) + " is not supported here");
    }
  }
}

// What every answer has.
json::object outline(const EventParts& service, const Connection& connection) {
  return {{"ConnectionArn", service.arns.connection(connection.name, connection.id)},
          {"ConnectionState", "AUTHORIZED"},
          {"CreationTime", base::to_epoch_seconds(connection.created)},
          {"LastModifiedTime", base::to_epoch_seconds(connection.modified)}};
}

json::object with_authorization(json::object outline, const Connection& connection) {
  outline["LastAuthorizedTime"] = base::to_epoch_seconds(connection.authorized);
  return outline;
}

json::value create(const EventParts& service, const OperationContext& context) {
  const json::object& input = context.input;
  refuse_unsupported(input);
  return outline(service,
                 service.connections.create(
                     {.name = *maybe_text(input, "Name"),
                      .description = maybe_text(input, "Description").value_or(""),
                      .type = control::authorization_type(*maybe_text(input, "AuthorizationType")),
                      .parameters = object_of(input, "AuthParameters")}));
}

json::value describe(const EventParts& service, const OperationContext& context) {
  const json::object& input = context.input;
  const Connection connection = service.connections.describe(*maybe_text(input, "Name"));
  json::object told = with_authorization(outline(service, connection), connection);
  told["Name"] = connection.name;
  put_unless_empty(told, "Description", connection.description);
  told["AuthorizationType"] = to_string(connection.type);
  told["AuthParameters"] = connection.parameters;
  return told;
}

json::value update(const EventParts& service, const OperationContext& context) {
  const json::object& input = context.input;
  refuse_unsupported(input);
  control::ConnectionUpdate update{.description = maybe_text(input, "Description")};
  if (const auto type = maybe_text(input, "AuthorizationType")) {
    update.type = control::authorization_type(*type);
  }
  if (input.contains("AuthParameters")) update.parameters = object_of(input, "AuthParameters");
  const Connection connection = service.connections.update(*maybe_text(input, "Name"), update);
  return with_authorization(outline(service, connection), connection);
}

json::value remove(const EventParts& service, const OperationContext& context) {
  const json::object& input = context.input;
  const Connection connection = service.connections.remove(*maybe_text(input, "Name"));
  json::object told = with_authorization(outline(service, connection), connection);
  told["ConnectionState"] = "DELETING";
  return told;
}

json::value list(const EventParts& service, const OperationContext& context) {
  const json::object& input = context.input;
  const PageOf page = read_page(input);
  json::object output{{"Connections", json::array()}};
  const auto state = maybe_text(input, "ConnectionState");
  if (state && *state != "AUTHORIZED") return output;  // here they all are
  const auto listed = service.connections.list(maybe_text(input, "NamePrefix").value_or(""),
                                               {.limit = page.limit, .after = page.after});
  for (const Connection& connection : listed.items) {
    json::object told = with_authorization(outline(service, connection), connection);
    told["Name"] = connection.name;
    told["AuthorizationType"] = to_string(connection.type);
    output["Connections"].as_array().push_back(std::move(told));
  }
  if (listed.next) output["NextToken"] = to_page_token(*listed.next);
  return output;
}

}  // namespace

std::vector<Operation> connection_rows(const EventParts& service) {
  const MemberRule name = needed(text("Name", 1, 64));
  const MemberRule description = text("Description", 0, 512);
  const MemberRule type =
      word("AuthorizationType", {"BASIC", "OAUTH_CLIENT_CREDENTIALS", "API_KEY"});
  const MemberRule parameters = object_rule("AuthParameters");
  return {row(service, "CreateConnection", {name, description, needed(type), needed(parameters)},
              create),
          row(service, "DescribeConnection", {name}, describe),
          row(service, "UpdateConnection", {name, description, type, parameters}, update),
          row(service, "DeleteConnection", {name}, remove),
          row(service, "ListConnections",
              with_page({text("NamePrefix", 1, 64),
                         word("ConnectionState",
                              {"CREATING", "UPDATING", "DELETING", "AUTHORIZED", "DEAUTHORIZED",
                               "AUTHORIZING", "DEAUTHORIZING", "ACTIVE", "FAILED_CONNECTIVITY"})}),
              list)};
}

}  // namespace andon::api::event_rows
