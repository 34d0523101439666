// SPDX-License-Identifier: Apache-2.0
#include "workflow/jobs/job_runner.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"

namespace andon::workflow {
namespace {

using job::JobDirectory;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kGlance{1'000};
constexpr milliseconds kSweep{30'000};
constexpr std::size_t kHands = 2;
constexpr std::size_t kIdLength = 36;  // of a UUID
constexpr unsigned kPrivate = 0700;

bool is_id(std::string_view text) {
  return text.size() == kIdLength &&
         text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

void ask_to_end(const base::UniqueFd& keeper) {
  if (keeper) syscall(SYS_pidfd_send_signal, keeper.get(), SIGTERM, nullptr, 0);
}

// When its heartbeat file was changed, in nanoseconds; 0 where there is none.
std::int64_t beat_of(const JobDirectory& place) {
  struct stat status {};
  if (lstat((place.work() / job::kHeartbeatFile).c_str(), &status) != 0) return 0;
  return status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace

JobRunner::JobRunner(JobRunnerOptions options)
    : options_(std::move(options)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), hands_(kHands) {
  if (!wake_) throw base::system_error("cannot watch jobs", errno);
  base::make_directories(options_.directory, kPrivate);
}

JobRunner::~JobRunner() {
  stop();
}

JobDirectory JobRunner::directory(const std::string& id) const {
  return JobDirectory(options_.directory / id);
}

void JobRunner::run(Ask ask) {
  ask_ = std::move(ask);
  find_running();
  thread_ = std::thread([this] { watch(); });
}

void JobRunner::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    if (!leaves_running_) {
      for (const auto& [id, job] : jobs_) ask_to_end(job.keeper);
    }
  }
  wake();
  if (thread_.joinable()) thread_.join();
  hands_.stop();
}

void JobRunner::leave_running() {
  const std::lock_guard lock(mutex_);
  leaves_running_ = true;
}

// Their tasks order them again, or the sweep ends them.
void JobRunner::find_running() {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : job::fs::directory_iterator(options_.directory)) {
    const std::string id = entry.path().filename();
    if (!is_id(id)) continue;
    const JobDirectory found = directory(id);
    base::UniqueFd keeper = found.keeper();
    if (!keeper) continue;
    try {
      if (auto order = found.order()) {
        jobs_[id] = {.order = *std::move(order),
                     .watcher = {},
                     .phase = Phase::running,
                     .keeper = std::move(keeper)};
      }
    } catch (const base::Error& error) {
      base::log_error("a job's order cannot be read", {{"job", id}, {"error", error.message()}});
    }
  }
  if (!jobs_.empty()) base::log_info("jobs found running", {{"count", jobs_.size()}});
}

void JobRunner::order(job::JobOrder order, Watcher watcher) {
  const std::string id = order.id;
  if (!is_id(id)) throw base::Error(base::ErrorCode::internal, "a job's id is not a UUID: " + id);
  const JobDirectory place = directory(id);
  const std::lock_guard lock(mutex_);
  if (stopping_) return;  // the next program is asked again
  if (const auto found = jobs_.find(id); found != jobs_.end()) {
    found->second.watcher = std::move(watcher);
    return;
  }
  const bool has_begun = place.order() && job::fs::exists(place.keeper_file());
  if (has_begun) {
    // It ended while nobody looked.
    jobs_[id] = {.order = std::move(order),
                 .watcher = std::move(watcher),
                 .phase = Phase::ending,
                 .keeper = {}};
    hands_.post([this, id] { finish(id); });
    return;
  }
  base::make_directories(place.path(), kPrivate);
  place.write_order(order);
  jobs_[id] = {.order = std::move(order),
               .watcher = std::move(watcher),
               .phase = Phase::waiting,
               .keeper = {}};
  waiting_.push_back(id);
  begin_more();
}

void JobRunner::begin_more() {
  const auto at_work = std::ranges::count_if(
      jobs_, [](const auto& entry) { return entry.second.phase != Phase::waiting; });
  auto room = static_cast<std::ptrdiff_t>(options_.most_at_once) - at_work;
  while (room > 0 && !waiting_.empty()) {
    const std::string id = std::move(waiting_.front());
    waiting_.pop_front();
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) continue;
    found->second.phase = Phase::beginning;
    if (geteuid() == 0) found->second.order.rules.user = free_user();
    hands_.post([this, id] { begin(id); });
    --room;
  }
}

uid_t JobRunner::free_user() const {
  std::vector<uid_t> taken;
  for (const auto& [id, job] : jobs_) {
    if (job.order.rules.user) taken.push_back(*job.order.rules.user);
  }
  uid_t user = options_.first_user;
  while (std::ranges::find(taken, user) != taken.end()) ++user;
  return user;
}

void JobRunner::begin(const std::string& id) {
  job::JobOrder order;
  Watcher watcher;
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end()) return;
    if (found->second.is_to_end || stopping_) {
      if (!stopping_) tell_dropped(found->second.watcher);
      jobs_.erase(found);
      begin_more();
      return;
    }
    order = found->second.order;
    watcher = found->second.watcher;
  }
  const JobDirectory place = directory(id);
  try {
    place.make(order.rules.user);
    watcher.prepare(place);
    place.write_order(order);
    job::start_keeper(options_.program, place);
    base::UniqueFd keeper = place.keeper();
    const std::lock_guard lock(mutex_);
    Job& job = jobs_.at(id);
    job.phase = Phase::running;
    job.keeper = std::move(keeper);
    if (job.is_to_end || (stopping_ && !leaves_running_)) ask_to_end(job.keeper);
  } catch (...) {
    tell_failure(id, std::current_exception());
    return;
  }
  wake();
}

void JobRunner::finish(const std::string& id) {
  Watcher watcher;
  job::JobOrder order;
  std::shared_ptr<job::LogFollower> follower;
  const JobDirectory place = directory(id);
  {
    const std::lock_guard lock(mutex_);
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || stopping_) return;
    watcher = found->second.watcher;
    order = found->second.order;
    follower = found->second.follower;
  }
  if (options_.write_line) {
    if (!follower) follower = std::make_shared<job::LogFollower>(place.path());
    pass_on(order, *follower, job::LogFollower::Job::is_over);
  }
  try {
    if (watcher.ended) watcher.ended(place, place.result());
  } catch (...) {
    tell_failure(id, std::current_exception());
    return;
  }
  forget(id);
}

void JobRunner::tell_failure(const std::string& id, const std::exception_ptr& failure) {
  Watcher watcher;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = jobs_.find(id); found != jobs_.end()) watcher = found->second.watcher;
  }
  if (watcher.failed) watcher.failed(failure);
  forget(id);
}

void JobRunner::tell_dropped(const Watcher& watcher) {
  if (watcher.dropped) hands_.post(watcher.dropped);
}

void JobRunner::forget(const std::string& id) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(id);
  if (!stopping_) begin_more();
}

void JobRunner::end(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return;
  Job& job = found->second;
  job.is_to_end = true;
  ask_to_end(job.keeper);
  if (job.phase != Phase::waiting) return;
  std::erase(waiting_, id);
  tell_dropped(job.watcher);
  jobs_.erase(found);
}

std::optional<JobRunner::Log> JobRunner::log(const std::string& id, std::uint64_t from,
                                             std::size_t most) const {
  if (!is_id(id)) return std::nullopt;
  const JobDirectory place = directory(id);
  if (!job::fs::exists(place.order_file())) return std::nullopt;
  // Asked for first: then nothing can come behind what is read.
  Log log;
  log.has_ended =
      place.result().has_value() || (job::fs::exists(place.keeper_file()) && !place.has_keeper());
  log.part = job::read_log(place.path(), from, most);
  return log;
}

JobRunner::Gauges JobRunner::gauges() const {
  const std::lock_guard lock(mutex_);
  return {.waiting = waiting_.size(), .running = jobs_.size() - waiting_.size()};
}

void JobRunner::wake() const {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof one);
}

void JobRunner::watch() {
  auto next_look = steady_clock::now() + kGlance;
  auto next_sweep = steady_clock::now();
  while (true) {
    std::vector<pollfd> waiting = {{wake_.get(), POLLIN, 0}};
    std::vector<std::string> ids = {""};
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      for (const auto& [id, job] : jobs_) {
        if (job.phase != Phase::running || !job.keeper) continue;
        waiting.push_back({job.keeper.get(), POLLIN, 0});
        ids.push_back(id);
      }
    }
    ::poll(waiting.data(), waiting.size(), static_cast<int>(kGlance.count()));
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_.get(), &count, sizeof count);
    for (std::size_t i = 1; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      const std::lock_guard lock(mutex_);
      const auto found = jobs_.find(ids[i]);
      if (found == jobs_.end() || found->second.phase != Phase::running) continue;
      found->second.phase = Phase::ending;
      hands_.post([this, id = ids[i]] { finish(id); });
    }
    const auto now = steady_clock::now();
    if (now >= next_look) {
      look_for_life();
      next_look = now + kGlance;
    }
    if (now >= next_sweep) {
      hands_.post([this] { sweep(); });
      next_sweep = now + kSweep;
    }
  }
}

void JobRunner::look_for_life() {
  std::vector<std::function<void()>> told;
  std::vector<std::pair<job::JobOrder, std::shared_ptr<job::LogFollower>>> written_more;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, job] : jobs_) {
      if (job.phase != Phase::running) continue;
      const JobDirectory place = directory(id);
      if (!job.keeper && !place.has_keeper()) {
        job.phase = Phase::ending;
        hands_.post([this, id = id] { finish(id); });
        continue;
      }
      const std::uint64_t written = job::log_end(place.path());
      const std::int64_t beat = beat_of(place);
      if (written == job.written && beat == job.beat) continue;
      if (options_.write_line && written != job.written) {
        if (!job.follower) job.follower = std::make_shared<job::LogFollower>(place.path());
        written_more.emplace_back(job.order, job.follower);
      }
      job.written = written;
      job.beat = beat;
      if (job.watcher.alive) told.push_back(job.watcher.alive);
    }
  }
  for (const auto& tell : told) tell();
  for (const auto& [order, follower] : written_more) {
    pass_on(order, *follower, job::LogFollower::Job::runs);
  }
}

void JobRunner::pass_on(const job::JobOrder& order, job::LogFollower& follower,
                        job::LogFollower::Job job) const {
  constexpr std::size_t kPiece = 1U << 20U;
  constexpr int kPieces = 16;  // more than is kept of a log
  for (int i = 0; i < kPieces; ++i) {
    const auto lines = follower.take(kPiece, job);
    for (const std::string& line : lines) options_.write_line(order, line);
    if (lines.empty()) return;
  }
}

void JobRunner::sweep() {
  for (const auto& entry : job::fs::directory_iterator(options_.directory)) {
    const std::string id = entry.path().filename();
    if (!is_id(id)) continue;
    const JobDirectory place = directory(id);
    try {
      const auto order = place.order();
      const Standing standing = order ? ask_(*order) : Standing::forgotten;
      if (standing == Standing::open) continue;
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        if (const auto found = jobs_.find(id); found != jobs_.end()) {
          // Its files are removed by a later sweep.
          ask_to_end(found->second.keeper);
          continue;
        }
      }
      if (place.has_keeper()) continue;
      if (standing == Standing::over) {
        place.remove_files();
      } else {
        place.remove();
      }
    } catch (const std::exception& error) {
      base::log_warning("a job's files are kept", {{"job", id}, {"error", error.what()}});
    }
  }
}

}  // namespace andon::workflow
