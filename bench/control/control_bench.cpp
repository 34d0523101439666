// SPDX-License-Identifier: Apache-2.0
// The control plane with a large fleet, without HTTP: prints median and 99th percentile of each
// list and of CreateDeployment for a group of every thing, and how long it takes until every device
// has been told. Asserts nothing about time. Build it with preset release:
//   cmake --build --preset release --target control_bench
//   build/release/bin/control_bench [THINGS] [EXECUTIONS] [DIRECTORY]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "base/time/time.hpp"
#include "control/control_plane.hpp"
#include "control/shared/background_worker.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/certificate.hpp"

namespace {

using namespace andon;  // NOLINT(google-build-using-namespace)
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int kGroups = 100;
constexpr int kRuns = 300;
constexpr std::int64_t kFirstDay = 1'700'000'000'000;

class CountingNotifier final : public control::Notifier {
 public:
  void publish(const std::string& topic, const std::string& payload) override {
    if (topic.find("notify-next") != std::string::npos) ++told;
    bytes += payload.size();
  }
  std::atomic<int> told = 0;
  std::atomic<std::size_t> bytes = 0;
};

struct Fleet {
  int things = 10'000;
  int executions = 100'000;
};

std::string thing_name(int i) {
  return "device-" + std::to_string(1'000'000 + i);
}

std::string recipe(const std::string& name, const std::string& version) {
  return R"({"RecipeFormatVersion": "2020-01-25", "ComponentName": ")" + name +
         R"(", "ComponentVersion": ")" + version +
         R"(", "ComponentDescription": "bench", "ComponentPublisher": "bench",
            "Manifests": [{"Platform": {"os": "linux"}, "Lifecycle": {"run": "true"}}]})";
}

// Rows straight into the tables: what years of work leave, in seconds.
void fill(store::Database& database, const Fleet& fleet) {
  database.write([&](store::Transaction& tx) {
    tx.execute(
        "INSERT INTO thing_groups (name, id, description, attributes, version, created_ms) "
        "VALUES ('all', 'all', '', '{}', 1, 0)");
    for (int i = 0; i < kGroups; ++i) {
      tx.execute(
          "INSERT INTO thing_groups (name, id, parent, description, attributes, version, "
          "created_ms) VALUES ($1, $1, 'all', '', '{}', 1, 0)",
          {"line-" + std::to_string(i)});
    }
    for (int i = 0; i < fleet.things; ++i) {
      const std::string name = thing_name(i);
      tx.execute(
          "INSERT INTO things (name, id, type_name, attributes, version, created_ms) "
          "VALUES ($1, $1, $2, $3, 1, 0)",
          {name, i % 10 == 0 ? "press" : "camera",
           R"({"line":")" + std::to_string(i % kGroups) + "\"}"});
      tx.execute("INSERT INTO thing_group_members (group_name, thing) VALUES ($1, $2)",
                 {"line-" + std::to_string(i % kGroups), name});
      tx.execute(
          "INSERT INTO core_devices (thing, core_version, platform, architecture, runtime, "
          "status, sequence_number, chunk, message_ms, updated_ms) "
          "VALUES ($1, '2.0', 'linux', 'amd64', 'andon', $2, 1, 1, 0, 0)",
          {name, i % 50 == 0 ? "UNHEALTHY" : "HEALTHY"});
    }
  });
  // Deployments to single things, each the next revision: all but the last are over.
  const int rounds = std::max(1, fleet.executions / fleet.things);
  for (int round = 0; round < rounds; ++round) {
    database.write([&](store::Transaction& tx) {
      const bool is_last = round == rounds - 1;
      for (int i = 0; i < fleet.things; ++i) {
        const std::string id = "d-" + std::to_string(round) + "-" + std::to_string(i);
        const std::int64_t created =
            kFirstDay + 1000LL * (static_cast<std::int64_t>(round) * fleet.things + i);
        tx.execute(
            "INSERT INTO deployments (id, target, revision, name, parent_target_arn, state, "
            "request, document, timeout_ms, created_ms) "
            "VALUES ($1, $2, $3, 'bench', '', $4, '{}', '{}', 600000, $5)",
            {id, "thing/" + thing_name(i), std::int64_t{round + 1},
             is_last ? "CURRENT" : "INACTIVE", created});
        if (is_last) {
          tx.execute("INSERT INTO deployment_targets (target, last_revision) VALUES ($1, $2)",
                     {"thing/" + thing_name(i), std::int64_t{rounds}});
        }
        tx.execute(
            "INSERT INTO deployment_components (deployment_id, name, version) "
            "VALUES ($1, 'com.ex.App', '1.0.0')",
            {id});
        tx.execute(
            "INSERT INTO job_executions (job_id, thing, status, status_details, version, "
            "execution_number, queued_ms, started_ms, updated_ms) "
            "VALUES ($1, $2, $3, '{}', 3, 1, $4, $4, $4)",
            {id, thing_name(i), is_last && i % 100 == 0 ? "QUEUED" : "SUCCEEDED", created});
      }
    });
  }
#if __has_include("control/shared/outbox.hpp")
  database.write([](store::Transaction& tx) {
    tx.execute("UPDATE deployments SET is_latest = 1 WHERE state = 'CURRENT'");
    tx.execute("UPDATE deployments SET ended_ms = created_ms WHERE state <> 'CURRENT'");
  });
#endif
}

double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// On the clock, and in CPU time of this thread, which a busy machine disturbs less.
void measure(const char* name, int runs, const std::function<void(int)>& work) {
  std::vector<double> times;
  std::vector<double> cpu_times;
  for (int i = 0; i < runs; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu_begin = cpu_milliseconds();
    work(i);
    cpu_times.push_back(cpu_milliseconds() - cpu_begin);
    times.push_back(Milliseconds(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(times);
  std::ranges::sort(cpu_times);
  const std::size_t at_99 = (times.size() - 1) * 99 / 100;
  std::printf("%-52s %9.2f %9.2f %9.2f\n", name, times[times.size() / 2], times[at_99],
              cpu_times[at_99]);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Fleet fleet;
  if (argc > 1) fleet.things = std::atoi(argv[1]);
  if (argc > 2) fleet.executions = std::atoi(argv[2]);
  const base::TemporaryDirectory temporary;
  const base::fs::path directory = argc > 3 ? base::fs::path(argv[3]) : temporary.path();
  const base::SystemClock clock;
  const auto database = store::open_sqlite(directory / "andon.db");
  store::ObjectStore objects(*database, directory / "objects", clock);
  CountingNotifier notifier;
  const auto authority =
      trust::make_certificate_authority("bench", clock.now(), std::chrono::days(10));
  const control::Arns arns;
  control::ControlPlane plane(*database, objects, clock, notifier, authority, arns);
  (void)plane.components.create(recipe("com.ex.App", "1.0.0"), std::nullopt);
  (void)plane.components.create(recipe("com.ex.App", "1.1.0"), std::nullopt);
  fill(*database, fleet);
#if __has_include("control/shared/outbox.hpp")
  control::BackgroundWorker server(
      "bench", [&] { return plane.serve_devices(); }, std::chrono::milliseconds(200));
  plane.outbox.set_listener([&] { server.wake(); });
#endif

  std::printf("%6d things, %8d executions%17s %9s %9s %9s\n", fleet.things, fleet.executions,
              "ms:", "median", "p99", "p99 CPU");
  const control::PageRequest page{50, ""};
  const auto middle = [&](int i) {
    return control::PageRequest{50, thing_name((i * 37) % fleet.things)};
  };
  using History = control::DeploymentFilter::History;
  measure("ListThings", kRuns, [&](int i) { (void)plane.things.list({}, middle(i)); });
  measure("ListThings, of a type", kRuns,
          [&](int i) { (void)plane.things.list({.type_name = "press"}, middle(i)); });
  measure("ListThings, by an attribute", kRuns, [&](int i) {
    (void)plane.things.list({"line", std::to_string(i % kGroups), {}}, page);
  });
  measure("ListThingsInThingGroup, recursive, of all", kRuns, [&](int i) {
    (void)plane.things.list_members("all", control::Things::Depth::descendants, middle(i));
  });
  measure("ListThingGroups", kRuns, [&](int) {
    (void)plane.things.list_groups("line-", "", control::Things::Depth::children, page);
  });
  measure("ListCoreDevices", kRuns, [&](int i) { (void)plane.core_devices.list({}, middle(i)); });
  measure("ListCoreDevices, unhealthy", kRuns, [&](int) {
    (void)plane.core_devices.list({{}, "UNHEALTHY", {}}, page);
  });
  measure("ListCoreDevices, of a group", kRuns, [&](int i) {
    (void)plane.core_devices.list({"line-" + std::to_string(i % kGroups), {}, {}}, page);
  });
  measure("ListDeployments, latest only", kRuns, [&](int) {
    (void)plane.deployments.list({{}, {}, History::latest_only}, page);
  });
  measure("ListDeployments, all", kRuns, [&](int) {
    (void)plane.deployments.list({{}, {}, History::all}, page);
  });
  measure("ListDeployments, of a target", kRuns, [&](int i) {
    (void)plane.deployments.list({arns.thing(thing_name(i * 37 % fleet.things)), {}, History::all},
                                 page);
  });
  measure("ListEffectiveDeployments", kRuns, [&](int i) {
    (void)plane.jobs.effective_deployments(thing_name(i * 37 % fleet.things), page);
  });
  measure("what is looked for every 30 s (timed-out jobs)", kRuns,
          [&](int) { plane.jobs.expire(); });

  const auto deploy = [&](const std::string& target) {
    return plane.deployments.create(
        {{"targetArn", arns.target(target)},
         {"components", {{"com.ex.App", {{"componentVersion", "1.1.0"}}}}}});
  };
  measure("CreateDeployment, for a thing", kRuns,
          [&](int i) { (void)deploy("thing/" + thing_name(i * 37 % fleet.things)); });
  measure("CreateDeployment, for a group of all things", 5,
          [&](int) { (void)deploy("thinggroup/all"); });
#if __has_include("control/shared/outbox.hpp")
  plane.outbox.set_listener(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  while (plane.rollouts.step()) {
  }
  std::printf("%-58s %9.0f\n", "  the rollouts that were left then",
              Milliseconds(std::chrono::steady_clock::now() - begin).count());
#endif
  measure("ListDeployments, all, afterwards", kRuns, [&](int) {
    (void)plane.deployments.list({{}, {}, History::all}, page);
  });
  return 0;
}
