// SPDX-License-Identifier: Apache-2.0
// A request of any operation of the Step Functions API, by the operation table: "Name\n{...}",
// against an engine that has machines, an activity and executions. It is answered or refused; what
// is answered at once, too, is JSON that can be written.
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "api/states/states.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/testing/fake_clock.hpp"
#include "store/sql/database.hpp"
#include "workflow/engine/workflow.hpp"

namespace {

namespace api = andon::api;
namespace base = andon::base;
namespace json = andon::base::json;
namespace workflow = andon::workflow;

constexpr int kRequestsAnEngine = 2000;

class Service {
 public:
  Service() : operations_(api::states_operations(engine_, clock_, {})) {
    engine_.run();
    const json::object machine{
        {"name", "m"},
        {"roleArn", "arn:aws:iam::000000000000:role/x"},
        {"definition", R"({"StartAt":"A","States":{"A":{"Type":"Task","Resource":)"
                       R"("arn:aws:states:us-east-1:000000000000:activity:a","End":true}}})"}};
    call("CreateActivity", {{"name", "a"}});
    call("CreateStateMachine", machine);
    json::object express = machine;
    express["name"] = "x";
    express["type"] = "EXPRESS";
    express["definition"] = R"({"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}})";
    call("CreateStateMachine", express);
    call("StartExecution",
         {{"stateMachineArn", "arn:aws:states:us-east-1:000000000000:stateMachine:m"},
          {"name", "e"}});
  }

  void call(std::string_view name, const json::object& input) {
    for (const api::Operation& operation : operations_) {
      if (operation.name != name) continue;
      const api::OperationContext context{.caller = {}, .input = input};
      try {
        if (operation.later) {
          operation.later(context, api::Answer([](const json::value&, const auto&) {}));
        } else {
          static_cast<void>(base::to_text(operation.handler(context)));
        }
      } catch (const api::ServiceError&) {
      } catch (const base::Error&) {
      }
    }
  }

 private:
  const base::TemporaryDirectory directory_{"/dev/shm"};
  base::FakeClock clock_{base::from_epoch_millis(1'790'000'000'000)};
  std::unique_ptr<andon::store::Database> database_ =
      andon::store::open_sqlite(directory_.path() / "workflow.db");
  workflow::Integrations integrations_;
  workflow::Workflow engine_{*database_, integrations_, nullptr, clock_,
                             workflow::WorkflowOptions{.arns = workflow::Arns()}};
  std::vector<api::Operation> operations_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // One engine for many requests, and not for all: what they make piles up.
  static std::optional<Service> service;
  static int requests = 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return 0;
  json::value input;
  try {
    input = base::parse_json(text.substr(end + 1), "the request");
  } catch (const base::Error&) {
    return 0;
  }
  if (!input.is_object()) return 0;
  if (requests++ % kRequestsAnEngine == 0) {
    service.reset();
    service.emplace();
  }
  service->call(text.substr(0, end), input.get_object());
  return 0;
}
