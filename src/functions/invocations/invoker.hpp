// SPDX-License-Identifier: Apache-2.0
// Room: invocations. Calls of functions: those whose caller waits (here), and events, which are
// kept until they are over (event_queue.hpp). Any thread.
#pragma once

#include <functional>
#include <string>

#include "functions/layers/layers.hpp"
#include "functions/package/packages.hpp"
#include "functions/registry/registry.hpp"
#include "functions/sandboxes/sandboxes.hpp"

namespace andon::functions {

struct Invocation {
  FunctionRef ref;
  std::string payload;
  std::string client_context;  // JSON; empty: none
  std::string id;              // a UUID
};

class Invoker {
 public:
  // All outlive it.
  Invoker(Registry& registry, const Layers& layers, Packages& packages, Sandboxes& sandboxes)
      : registry_(registry), layers_(layers), packages_(packages), sandboxes_(sandboxes) {}

  // Begins a call of what check() gave.
  void invoke(const Resolved& function, Invocation invocation,
              std::function<void(CallEnd)> done) const;
  // Throws not_found, and conflict for a function that is not Active, in AWS's words.
  [[nodiscard]] Resolved check(const FunctionRef& ref) const;

 private:
  [[nodiscard]] SandboxPlan plan_of(const Resolved& function) const;
  [[nodiscard]] fs::path layers_of(const Version& version) const;

  Registry& registry_;
  const Layers& layers_;
  Packages& packages_;
  Sandboxes& sandboxes_;
};

}  // namespace andon::functions
