// SPDX-License-Identifier: Apache-2.0
#include "functions/functions.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::functions {
namespace {

constexpr std::chrono::seconds kGlance{60};
constexpr std::size_t kAtOnce = 16;
constexpr std::size_t kMostReason = 4'000;

}  // namespace

Functions::Functions(Parts parts)
    : registry(parts.database, parts.clock, parts.arns),
      settings(parts.database, parts.clock, parts.arns),
      layers(parts.database, parts.clock, parts.arns),
      packages(std::move(parts.packages), parts.objects),
      sandboxes(std::move(parts.sandboxes), parts.clock),
      invoker(registry, layers, packages, sandboxes),
      events(
          parts.database, registry, settings, parts.clock,
          [this](const Resolved& function, Invocation invocation,
                 std::function<void(CallEnd)> done) {
            invoker.invoke(function, std::move(invocation), std::move(done));
          },
          std::move(parts.write_record), parts.events),
      thread_([this] { prepare(); }) {}

Functions::~Functions() {
  stop();
}

void Functions::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  events.stop();
  sandboxes.stop();
}

void Functions::wake() {
  const std::lock_guard lock(mutex_);
  is_woken_ = true;
  changed_.notify_all();
}

void Functions::prepare() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kGlance, [this] { return stopping_ || is_woken_; });
      if (stopping_) return;
      is_woken_ = false;
    }
    try {
      const auto open = registry.open(kAtOnce);
      for (const Version& version : open) prepare(version);
      if (open.size() == kAtOnce) wake();
      layers.forget_unused();
      packages.sweep([this](const std::string& sha256) {
        return registry.is_used(sha256) || layers.is_used(sha256);
      });
    } catch (const std::exception& error) {
      base::log_error("functions cannot be prepared", {{"error", std::string(error.what())}});
    }
  }
}

void Functions::prepare(const Version& version) {
  const Code code = version.next_code.value_or(version.code);
  try {
    if (is_python(version.runtime())) packages.install(code);
    (void)packages.ensure(code);
  } catch (const base::Error& error) {
    registry.failed(version.function, code, error.message().substr(0, kMostReason));
    return;
  }
  registry.prepared(version.function, code);
  sandboxes.retire(version.function);
}

void Functions::prepare_now(const Version& version) {
  prepare(version);
  const Version now = registry.find({.name = version.function, .qualifier = {}});
  if (now.state != "Failed" && now.update_status != "Failed") return;
  throw base::Error(base::ErrorCode::invalid_argument,
                    now.state == "Failed" ? now.state_reason : now.update_reason);
}

}  // namespace andon::functions
