// SPDX-License-Identifier: Apache-2.0
#include "edge/agent/returning_clients.hpp"

#include <utility>

#include "base/log/log.hpp"

namespace andon::edge {
namespace {

// While a deployment changes components: it restarts what it must, and nobody else does.
constexpr std::chrono::seconds kLookAgain{5};

}  // namespace

void ReturningClients::expect(const std::vector<KeptRecord>& kept, const std::string& why_all) {
  for (const KeptRecord& record : kept) {
    const Component* const component = std::as_const(supervisor_).find(record.component);
    if (component == nullptr || component->pid() == 0) continue;
    if (!why_all.empty()) {
      awaited_[record.component] = {component->pid(), why_all, true};
    } else if (record.has_client) {
      awaited_[record.component] = {component->pid(),
                                    "its client of the IPC did not come back within " +
                                        std::to_string(kClientsReturnWithin.count()) + " s"};
    }
  }
  if (awaited_.empty()) return;
  look_after(why_all.empty() ? kClientsReturnWithin : kLookAgain);
}

void ReturningClients::came(const std::string& component) {
  const auto found = awaited_.find(component);
  if (found != awaited_.end() && !found->second.whatever_comes) awaited_.erase(found);
}

void ReturningClients::look_after(std::chrono::milliseconds delay) {
  loop_.cancel(timer_);
  timer_ = loop_.after(delay, [this] {
    timer_ = 0;
    if (supervisor_.changing()) return look_after(kLookAgain);
    restart_missing();
  });
}

void ReturningClients::restart_missing() {
  for (const auto& [name, awaited] : std::exchange(awaited_, {})) {
    const Component* const component = std::as_const(supervisor_).find(name);
    if (component == nullptr || component->pid() != awaited.pid) continue;
    base::log_warning("restarting a component that has outlived its agent",
                      {{"component", name}, {"why", awaited.why}});
    supervisor_.restart(name);
  }
}

}  // namespace andon::edge
