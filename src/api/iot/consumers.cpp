// SPDX-License-Identifier: Apache-2.0
// andon's own operations on consumers of the broker (service "andon").
#include <utility>

#include "api/iot/iot.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::ConsumerKind;

constexpr PageLimits kPages{100, 250};
constexpr std::string_view kConsumer = "/andon/v1/consumers/{consumerName}";

json::object describe(const control::Consumer& consumer) {
  return {{"consumerName", consumer.name},
          {"consumerArn", consumer.arn},
          {"type", consumer.kind == ConsumerKind::user ? "USER" : "CERTIFICATE"},
          {"principal", consumer.principal},
          {"creationDate", base::to_epoch_seconds(consumer.created)}};
}

json::value add(control::ControlPlane& control, const UserListener& users,
                const OperationContext& context) {
  const std::string type = word_or_empty(context.input, "type", {"CERTIFICATE", "USER"});
  const ConsumerKind kind = type == "USER" ? ConsumerKind::user : ConsumerKind::certificate;
  const base::JsonReader reader(context.input, "", {.separator = ": "});
  const std::vector<std::string> policies =
      reader.has("policyNames") ? reader.strings("policyNames") : std::vector<std::string>();
  if (policies.empty()) {
    reader.fail("policyNames", "is missing: without a policy a consumer may do nothing");
  }
  const control::NewConsumer made =
      control.consumers.add(required_text(context.input, "consumerName"), kind, policies);
  json::object output = describe(made.consumer);
  if (kind == ConsumerKind::user) {
    output["userName"] = made.consumer.name;
    output["password"] = made.password;
    try {
      output["port"] = users();
    } catch (...) {
      control.consumers.remove(made.consumer.name);  // nobody could connect as it
      throw;
    }
  } else {
    output["certificatePem"] = made.certificate_pem;
    output["privateKey"] = made.private_key_pem;
  }
  return output;
}

json::value list(const control::ControlPlane& control, const OperationContext& context) {
  const auto found = control.consumers.list(read_page(context.input, kPages));
  json::array consumers;
  for (const control::Consumer& consumer : found.items) consumers.emplace_back(describe(consumer));
  json::object output{{"consumers", std::move(consumers)}};
  put_next(output, found.next);
  return output;
}

}  // namespace

std::vector<Operation> consumer_operations(control::ControlPlane& control, UserListener users) {
  const auto row = [](std::string_view name, std::string_view method, std::string_view path,
                      std::function<json::value(const OperationContext&)> function) {
    return Operation{"andon", name, Protocol::rest_json, method, path, 200, std::move(function)};
  };
  return {
      row("CreateConsumer", "POST", kConsumer,
          [&control, users = std::move(users)](const OperationContext& context) {
            return add(control, users, context);
          }),
      row("ListConsumers", "GET", "/andon/v1/consumers",
          [&control](const OperationContext& context) { return list(control, context); }),
      row("DeleteConsumer", "DELETE", kConsumer,
          [&control](const OperationContext& context) {
            control.consumers.remove(required_text(context.input, "consumerName"));
            return json::object{};
          }),
  };
}

}  // namespace andon::api
