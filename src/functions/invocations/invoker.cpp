// SPDX-License-Identifier: Apache-2.0
#include "functions/invocations/invoker.hpp"

#include <utility>

#include "base/error/error.hpp"

namespace andon::functions {

Resolved Invoker::check(const FunctionRef& ref) const {
  Resolved function = registry_.resolve(ref);
  if (function.version.state == "Active") return function;
  throw base::Error(base::ErrorCode::conflict,
                    "The operation cannot be performed at this time. The function is currently in "
                    "the following state: " +
                        function.version.state);
}

fs::path Invoker::layers_of(const Version& version) const {
  std::vector<Code> codes;
  for (const std::string& arn : version.layers()) {
    const auto layer = layers_.of_function(arn);
    if (!layer) {
      throw base::Error(base::ErrorCode::data_corrupted,
                        "the layer " + arn + " of " + version.function + " is gone");
    }
    codes.push_back(layer->code);
  }
  return packages_.merge(codes);
}

SandboxPlan Invoker::plan_of(const Resolved& function) const {
  const Version& version = function.version;
  return {.key = version.function + ":" + version.label() + ":" + version.revision,
          .function = version.function,
          .version = version.label(),
          .role = version.text("Role"),
          .runtime = version.runtime(),
          .handler = version.handler(),
          .log_group = version.log_group(),
          .memory_mib = version.whole_number("MemorySize"),
          .ephemeral_mib = version.ephemeral_mib(),
          .timeout = std::chrono::seconds(version.whole_number("Timeout")),
          .environment = version.environment(),
          .package = packages_.ensure(version.code),
          .requirements = packages_.requirements(version.code),
          .layers = layers_of(version),
          .reserved = function.reserved};
}

void Invoker::invoke(const Resolved& function, Invocation invocation,
                     std::function<void(CallEnd)> done) const {
  sandboxes_.call(plan_of(function), {.id = std::move(invocation.id),
                                      .arn = function_arn(registry_.arns(), invocation.ref.name,
                                                          invocation.ref.qualifier),
                                      .payload = std::move(invocation.payload),
                                      .client_context = std::move(invocation.client_context),
                                      .done = std::move(done)});
}

}  // namespace andon::functions
