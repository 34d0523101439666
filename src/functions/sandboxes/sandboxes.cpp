// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/sandboxes.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "functions/sandboxes/runtime_files.hpp"
#include "job/order/job_directory.hpp"

namespace andon::functions {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::uint64_t kSources = 4;
constexpr std::uint64_t kWake = UINT64_MAX;
constexpr milliseconds kGlance{1'000};
constexpr const char* kRuntimeDirectory = "runtime";

void write_runtime(const fs::path& directory, const std::string& ca_pem) {
  base::make_directories(directory, 0755);
  base::write_file_atomically(directory / "bootstrap.py", kBootstrap);
  base::write_file_atomically(directory / "sitecustomize.py", kSiteCustomize);
  if (!ca_pem.empty()) base::write_file_atomically(directory / "ca.pem", ca_pem);
}

}  // namespace

Sandboxes::Sandboxes(SandboxOptions options, const base::Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!epoll_ || !wake_) throw base::system_error("cannot watch sandboxes", errno);
  base::make_directories(options_.directory, 0700);
  // Of an earlier program; its keepers have ended with it.
  for (const auto& entry : fs::directory_iterator(options_.directory)) {
    if (entry.path().filename() != kRuntimeDirectory &&
        !job::JobDirectory(entry.path()).has_keeper()) {
      job::remove_tree(entry.path());
    }
  }
  options_.site.runtime = options_.directory / kRuntimeDirectory;
  write_runtime(options_.site.runtime, options_.ca_pem);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kWake;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  starter_ = std::make_unique<Starter>(Starter::Options{.directory = options_.directory,
                                                        .program = options_.program,
                                                        .site = options_.site,
                                                        .credentials = options_.credentials});
  thread_ = std::thread([this] { run(); });
}

Sandboxes::~Sandboxes() {
  stop();
}

void Sandboxes::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  post([] {});
  if (thread_.joinable()) thread_.join();
  starter_->stop();
  instances_.clear();
}

void Sandboxes::post(Work work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void Sandboxes::call(SandboxPlan plan, Call call) {
  post([this, plan = std::move(plan), call = std::move(call)]() mutable {
    dispatch(std::move(plan), std::move(call));
  });
}

void Sandboxes::retire(const std::string& function) {
  post([this, function] {
    for (const auto& [id, instance] : instances_) {
      if (instance->plan().function == function && instance->is_idle()) instance->end();
    }
  });
}

Sandboxes::Gauges Sandboxes::gauges() const {
  const std::lock_guard lock(mutex_);
  return gauges_;
}

void Sandboxes::watch(std::uint64_t id, Instance::Source source, int fd) const {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id * kSources + static_cast<std::uint64_t>(source);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw base::system_error("cannot watch a sandbox", errno);
  }
}

void Sandboxes::run() {
  std::array<epoll_event, 64> events{};
  while (true) {
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), time_to_wait());
    std::deque<Work> work;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
      work.swap(posted_);
    }
    for (int i = 0; i < count; ++i) {
      const std::uint64_t what = events[static_cast<std::size_t>(i)].data.u64;
      if (what == kWake) {
        std::uint64_t posts = 0;
        [[maybe_unused]] const ssize_t got = read(wake_.get(), &posts, sizeof posts);
        continue;
      }
      const auto found = instances_.find(what / kSources);
      if (found == instances_.end()) continue;
      try {
        found->second->handle(static_cast<Instance::Source>(what % kSources));
      } catch (const std::exception& error) {
        base::log_error(
            "a function's sandbox is ended",
            {{"function", found->second->plan().function}, {"error", std::string(error.what())}});
        found->second->end();
      }
    }
    for (const Work& one : work) one();
    after_events();
  }
  // Nobody is told any more but that it is over.
  for (const auto& [id, instance] : instances_) {
    instance->end();
    instance->not_started("the server is being stopped");
  }
}

// What has ended goes; what it had not begun is given to another one.
void Sandboxes::after_events() {
  std::vector<std::pair<SandboxPlan, Call>> again;
  std::size_t busy = 0;
  for (auto at = instances_.begin(); at != instances_.end();) {
    Instance& instance = *at->second;
    if (auto call = instance.take_untouched_call()) {
      again.emplace_back(instance.plan(), *std::move(call));
    }
    if (!instance.is_idle() && !instance.is_ending()) ++busy;
    at = instance.is_gone() ? instances_.erase(at) : std::next(at);
  }
  for (auto& [plan, call] : again) begin(std::move(plan), std::move(call));
  const std::lock_guard lock(mutex_);
  gauges_ = {.sandboxes = instances_.size(), .calls = busy, .cold_starts = cold_starts_};
}

int Sandboxes::time_to_wait() {
  const auto now = steady_clock::now();
  auto next = now + kGlance;
  for (const auto& [id, instance] : instances_) {
    if (const auto deadline = instance->look_at_time(now)) next = std::min(next, *deadline);
    const bool is_stale =
        instance->is_idle() &&
        (now - instance->idle_since() >= options_.keep_idle || !instance->is_good_for_a_call());
    if (is_stale) instance->end();
  }
  const auto left = std::chrono::ceil<milliseconds>(next - now).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void Sandboxes::dispatch(SandboxPlan plan, Call call) {
  std::int64_t& count = in_flight_[plan.function];
  if (plan.reserved && count >= *plan.reserved) {
    if (count == 0) in_flight_.erase(plan.function);
    return call.done({.kind = CallEnd::Kind::throttled,
                      .payload = {},
                      .text = "ReservedFunctionConcurrentInvocationLimitExceeded",
                      .log_tail = {}});
  }
  ++count;
  call.done = [this, function = plan.function, done = std::move(call.done)](CallEnd end) {
    if (const auto found = in_flight_.find(function);
        found != in_flight_.end() && --found->second == 0) {
      in_flight_.erase(found);
    }
    done(std::move(end));
  };
  // The one that was used last: the others may end.
  Instance* warm = nullptr;
  Instance* oldest = nullptr;
  std::size_t alive = 0;
  for (const auto& [id, instance] : instances_) {
    if (!instance->is_ending()) ++alive;
    if (!instance->is_idle()) continue;
    if (instance->plan().key == plan.key && instance->is_good_for_a_call()) {
      if (warm == nullptr || instance->idle_since() > warm->idle_since()) warm = instance.get();
    } else if (oldest == nullptr || instance->idle_since() < oldest->idle_since()) {
      oldest = instance.get();
    }
  }
  if (warm != nullptr) return warm->give(std::move(call));
  if (alive >= options_.most) {
    if (oldest == nullptr) {
      return call.done({.kind = CallEnd::Kind::throttled,
                        .payload = {},
                        .text = "ConcurrentInvocationLimitExceeded",
                        .log_tail = {}});
    }
    oldest->end();
  }
  begin(std::move(plan), std::move(call));
}

void Sandboxes::begin(SandboxPlan plan, Call call) {
  const std::uint64_t id = ++last_id_;
  ++cold_starts_;
  const std::string stream = new_stream(plan);
  const auto user = free_user();
  instances_[id] = std::make_unique<Instance>(
      id, plan, stream, user,
      Instance::Site{clock_, options_.write_line,
                     [this, id](Instance::Source source, int fd) { watch(id, source, fd); }},
      std::move(call));
  const auto with_instance = [this, id](const std::function<void(Instance&)>& work) {
    post([this, id, work] {
      if (const auto found = instances_.find(id); found != instances_.end()) work(*found->second);
    });
  };
  starter_->start({.id = id,
                   .plan = std::move(plan),
                   .stream = stream,
                   .user = user,
                   .started =
                       [with_instance](StartedSandbox sandbox) {
                         const auto held = std::make_shared<StartedSandbox>(std::move(sandbox));
                         with_instance(
                             [held](Instance& instance) { instance.started(std::move(*held)); });
                       },
                   .failed =
                       [with_instance](const std::exception_ptr& failure) {
                         std::string why = "the sandbox could not be started";
                         try {
                           std::rethrow_exception(failure);
                         } catch (const std::exception& error) {
                           why = error.what();
                         }
                         with_instance([why](Instance& instance) { instance.not_started(why); });
                       }});
}

std::optional<uid_t> Sandboxes::free_user() const {
  if (geteuid() != 0) return std::nullopt;
  std::set<uid_t> taken;
  for (const auto& [id, instance] : instances_) {
    if (instance->user()) taken.insert(*instance->user());
  }
  uid_t user = options_.first_user;
  while (taken.contains(user)) ++user;
  return user;
}

std::string Sandboxes::new_stream(const SandboxPlan& plan) const {
  constexpr std::size_t kRandom = 16;
  std::string day = base::to_iso8601(clock_.now()).substr(0, 10);
  std::ranges::replace(day, '-', '/');
  return day + "/[" + plan.version + "]" +
         base::to_hex(base::as_bytes(base::random_bytes(kRandom)));
}

}  // namespace andon::functions
