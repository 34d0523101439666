// SPDX-License-Identifier: Apache-2.0
#include "api/events/andon_rows.hpp"

#include <utility>

#include "api/audit/call_audit.hpp"
#include "api/table/members.hpp"
#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using events::EventQueue;
using events::Webhooks;

constexpr std::string_view kPrefix = "/hooks/";
constexpr PageLimits kPage{.standard = 100, .maximum = 1000};
constexpr std::size_t kMostDeliveries = 20;  // of one push, that are told

Operation row(std::string_view name, std::string_view method, std::string_view path,
              std::function<json::value(const json::object&)> work) {
  return {
      "andon",
      name,
      Protocol::rest_json,
      method,
      path,
      200,
      [work = std::move(work)](const OperationContext& context) { return work(context.input); }};
}

json::value list(const Webhooks& webhooks, const json::object& input) {
  const auto page = read_page(input, kPage);
  auto all = webhooks.list(page.after, page.limit + 1);
  json::object output{{"webhooks", json::array()}};
  if (all.size() > page.limit) {
    all.resize(page.limit);
    put_next(output, all.back().name);
  }
  for (const events::Webhook& one : all) {
    json::object told{{"name", one.name},
                      {"path", std::string(kPrefix) + one.name},
                      {"created", base::to_epoch_seconds(one.created)}};
    if (one.last) {
      told["lastPush"] = base::to_epoch_seconds(*one.last);
      told["lastForge"] = one.last_forge;
    }
    output["webhooks"].as_array().push_back(std::move(told));
  }
  return output;
}

json::object described(const EventQueue::Record& one) {
  json::object told{{"eventId", one.event_id},     {"targetId", one.target_id},
                    {"targetArn", one.target_arn}, {"status", one.status},
                    {"attempts", one.attempts},    {"at", base::to_epoch_seconds(one.at)}};
  put_unless_empty(told, "errorCode", one.error_code);
  put_unless_empty(told, "errorMessage", one.error_message);
  put_unless_empty(told, "started", one.started);
  return told;
}

json::value deliveries(const EventQueue& queue, const json::object& input) {
  const auto page = read_page(input, kPage);
  json::array all;
  for (const auto& one : queue.records(required_text(input, "sourceArn"), page.limit)) {
    json::object told = described(one);
    put_unless_empty(told, "input", one.input);
    all.push_back(std::move(told));
  }
  return json::object{{"deliveries", std::move(all)}};
}

json::object described(const events::PushOutcome& one) {
  json::object told{{"outcome", to_string(one.kind)},
                    {"at", base::to_epoch_seconds(one.at)},
                    {"count", one.count}};
  put_unless_empty(told, "reason", one.reason);
  put_unless_empty(told, "forge", one.forge);
  put_unless_empty(told, "from", one.from);
  put_unless_empty(told, "event", one.event);
  put_unless_empty(told, "eventId", one.event_id);
  put_unless_empty(told, "deliveryId", one.delivery);
  put_unless_empty(told, "repository", one.repository);
  put_unless_empty(told, "ref", one.ref);
  put_unless_empty(told, "commit", one.commit);
  return told;
}

// Of a push that was taken also what rules have made of it, as far as that is remembered.
json::value outcomes(Webhooks& webhooks, const EventQueue& queue, const json::object& input) {
  const auto page = read_page(input, kPage);
  json::array all;
  for (const auto& one : webhooks.outcomes(required_text(input, "name"), page.limit)) {
    json::object told = described(one);
    if (!one.event_id.empty()) {
      json::array made;
      for (const auto& delivery : queue.records_of_event(one.event_id, kMostDeliveries)) {
        json::object said = described(delivery);
        said["sourceArn"] = delivery.source_arn;
        made.push_back(std::move(said));
      }
      told["deliveries"] = std::move(made);
    }
    all.push_back(std::move(told));
  }
  return json::object{{"outcomes", std::move(all)}};
}

wire::HttpResponse answer(int status, std::string_view message) {
  wire::HttpResponse response{.status = status};
  response.headers.set("Content-Type", "application/json");
  response.body = base::to_text(json::object{{"message", message}});
  return response;
}

}  // namespace

std::vector<Operation> webhook_operations(Webhooks& webhooks, const EventQueue& queue) {
  return {row("PutWebhook", "PUT", "/andon/v1/webhooks/{name}",
              [&webhooks](const json::object& input) -> json::value {
                const std::string name = required_text(input, "name");
                webhooks.put(name, required_text(input, "secret"),
                             flag(input, "createOnly") ? Webhooks::Existing::is_refused
                                                       : Webhooks::Existing::gets_this_secret);
                return json::object{{"name", name}, {"path", std::string(kPrefix) + name}};
              }),
          row("DeleteWebhook", "DELETE", "/andon/v1/webhooks/{name}",
              [&webhooks](const json::object& input) -> json::value {
                webhooks.remove(required_text(input, "name"));
                return json::object{};
              }),
          row("ListWebhooks", "GET", "/andon/v1/webhooks",
              [&webhooks](const json::object& input) { return list(webhooks, input); }),
          row("ListWebhookOutcomes", "GET", "/andon/v1/webhooks/{name}/outcomes",
              [&webhooks, &queue](const json::object& input) {
                return outcomes(webhooks, queue, input);
              }),
          row("ListDeliveries", "GET", "/andon/v1/event-deliveries",
              [&queue](const json::object& input) { return deliveries(queue, input); })};
}

wire::HttpResponse take_push(Webhooks& webhooks, const wire::HttpRequest& request) {
  if (request.method != "POST") return answer(405, "webhooks take POST");
  if (request.body.size() > Webhooks::kMostBody) {
    return answer(413, "a push may have at most 1,000,000 bytes");
  }
  try {
    const std::string name = request.path.substr(kPrefix.size());
    switch (webhooks.take(name, request.headers, request.body.read(Webhooks::kMostBody),
                          address_of(request))) {
      case Webhooks::Taken::taken:
        return answer(202, "taken");
      case Webhooks::Taken::refused:
        return answer(403, "no such webhook, or its signature is wrong");
      case Webhooks::Taken::repeated:
        return answer(409, "this push was taken before");
      case Webhooks::Taken::malformed:
        return answer(400, "the body must be a JSON object (content type application/json)");
    }
  } catch (const base::Error& error) {
    base::log_warning("a push could not be taken", {{"reason", error.message()}});
  }
  return answer(503, "it cannot be taken now; send it again later");
}

}  // namespace andon::api
