// SPDX-License-Identifier: Apache-2.0
#include "inspect/trigger/trigger_input.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "inspect/trigger/edge_trigger.hpp"
#include "inspect/trigger/http_trigger.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace json = base::json;

namespace {

wire::LocalHttpAnswer json_answer(int status, const json::object& body) {
  return {status, "application/json", base::to_text(body) + "\n"};
}

wire::LocalHttpAnswer problem(int status, std::string_view message) {
  return json_answer(status, {{"error", message}});
}

}  // namespace

std::string read_trigger_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return "";
  constexpr std::size_t kMostDepth = 4;
  const json::value document =
      base::parse_json(body, "trigger", {.max_bytes = kMostTriggerBytes, .max_depth = kMostDepth});
  const base::JsonReader reader(document, "trigger");
  reader.allow_only({"part"});
  std::string id = reader.optional_string("part").value_or("");
  const bool has_controls =
      std::ranges::any_of(id, [](unsigned char c) { return c < ' ' || c == 0x7F; });
  if (id.size() > kMostPartIdBytes || has_controls) {
    reader.fail("part", fmt::format("is longer than {} bytes, or has control characters in it",
                                    kMostPartIdBytes));
  }
  return id;
}

wire::LocalHttpAnswer answer_trigger(const wire::LocalHttpRequest& request,
                                     const TriggerCallbacks& callbacks, Instant now) {
  // A page in a browser on this machine is no part of the line.
  if (request.headers.contains("origin")) return problem(403, "a browser may not do this");
  if (request.path == "/status") {
    if (request.method != "GET") return problem(405, "only GET");
    return json_answer(200, callbacks.status());
  }
  if (request.path != "/trigger") return problem(404, "try POST /trigger or GET /status");
  if (request.method != "POST") return problem(405, "only POST");
  try {
    const auto id = callbacks.on_part(read_trigger_body(request.body), now);
    if (id) return json_answer(202, {{"part", *id}});
  } catch (const Error& error) {
    return problem(400, error.message());
  }
  wire::LocalHttpAnswer full = problem(503, "too many parts are on their way, or it is ending");
  full.headers.emplace("Retry-After", "1");
  return full;
}

void require_modules(const TriggerSettings& settings) {
  if (const auto* modbus = std::get_if<ModbusTriggerSettings>(&settings.input)) {
    static_cast<void>(make_edge_source(*modbus));
  }
  if (const auto* gpio = std::get_if<GpioTriggerSettings>(&settings.input)) {
    static_cast<void>(make_edge_source(*gpio));
  }
}

std::unique_ptr<TriggerInput> make_trigger(const TriggerSettings& settings,
                                           const TriggerCallbacks& callbacks) {
  struct Maker {
    const TriggerCallbacks& callbacks;

    std::unique_ptr<TriggerInput> operator()(const HttpTriggerSettings& http) const {
      return std::make_unique<HttpTrigger>(http, callbacks);
    }
    std::unique_ptr<TriggerInput> operator()(const ModbusTriggerSettings& modbus) const {
      return std::make_unique<EdgeTrigger>(make_edge_source(modbus), callbacks);
    }
    std::unique_ptr<TriggerInput> operator()(const GpioTriggerSettings& gpio) const {
      return std::make_unique<EdgeTrigger>(make_edge_source(gpio), callbacks);
    }
  };
  return std::visit(Maker{callbacks}, settings.input);
}

}  // namespace andon::inspect
