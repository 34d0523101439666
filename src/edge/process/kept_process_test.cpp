// SPDX-License-Identifier: Apache-2.0
// Services that outlive their agent, with real keepers: each Agent here is one start of it.
#include "edge/process/kept_process.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <optional>

#include "base/error/error.hpp"
#include "edge/run/supervisor.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/plain_host.hpp"

namespace andon::edge {
namespace {

using recipe::Step;
using std::chrono::milliseconds;

constexpr milliseconds kLimit{20'000};

class KeptProcessTest : public testing::Test {
 protected:
  // What one agent has of it, from its start to its end.
  struct Agent {
    explicit Agent(KeptProcessTest& test)
        : journal(test.directory_.path() / "processes"),
          supervisor(loop, journal, test.host_, [](const std::string&) {}) {
      base::make_directories(test.directory_.path() / "processes");
      journal.set_cgroups(test.cgroups_);
    }
    ChangeResult change(const std::vector<ComponentSpec>& target) {
      std::optional<ChangeResult> result;
      supervisor.change(target, {}, kLimit, [&](const ChangeResult& got) { result = got; });
      EXPECT_TRUE(wait_for([&] { return result.has_value(); }));
      return result.value_or(ChangeResult{false, {}, "no answer", {}, false});
    }
    bool wait_for(const std::function<bool()>& condition) {
      return run_fast_until(loop, clock, condition);
    }
    pid_t pid_of(const std::string& name) {
      const Component* const component = supervisor.find(name);
      return component == nullptr ? 0 : component->pid();
    }

    FakeLoopClock clock;
    EventLoop loop{clock};
    ProcessJournal journal;
    Supervisor supervisor;
  };

  void begin() {
    end();
    agent_ = std::make_unique<Agent>(*this);
  }
  // As a crash does, but that this process goes on.
  void end() {
    if (agent_) agent_->supervisor.leave();
    agent_.reset();
  }
  void TearDown() override {
    if (!agent_) begin();
    agent_->change({});
    EXPECT_TRUE(agent_->wait_for([&] { return agent_->journal.kept().empty(); }));
  }
  KeptPlace place(const std::string& name) const {
    return {directory_.path() / "processes" / "kept" / name};
  }
  bool wait_for_end(const std::string& name) {
    const auto limit = std::chrono::steady_clock::now() + kLimit;
    while (std::chrono::steady_clock::now() < limit) {
      const auto state = kept_state(place(name));
      if (state && state->has_ended) return true;
      usleep(1000);
    }
    return false;
  }
  std::string trace() const {
    return base::read_file_if_exists(directory_.path() / "trace").value_or("");
  }

  // Below one directory in each hierarchy, which goes at the end.
  bool use_cgroups() {
    cgroups_ = ControlGroups::of_this_process("andon-kept-" + std::to_string(getpid()));
    return geteuid() == 0 && !cgroups_.bases().empty();
  }
  ~KeptProcessTest() override {
    for (const base::fs::path& base : cgroups_.bases()) rmdir(base.c_str());
  }

  base::TemporaryDirectory directory_;
  ControlGroups cgroups_;
  PlainHost host_{directory_.path()};
  std::unique_ptr<Agent> agent_;
};

bool is_gone(pid_t pid) {
  const auto stat = base::read_file_if_exists("/proc/" + std::to_string(pid) + "/stat");
  return !stat || stat->find(") Z ") != std::string::npos;
}

TEST_F(KeptProcessTest, GoesOnWithoutItsAgentAndIsTakenUpAgainAndAgain) {
  const ComponentSpec spec = make_spec(
      "a", "1", {{Step::run, "echo run >> $TRACE; while :; do echo line; sleep 0.01; done"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  const pid_t pid = agent_->pid_of("a");
  for (int i = 0; i < 5; ++i) {
    end();
    EXPECT_FALSE(is_gone(pid));
    begin();
    ASSERT_TRUE(agent_->change({spec}).ok);
    EXPECT_EQ(agent_->pid_of("a"), pid);
  }
  EXPECT_EQ(trace(), "run\n");
  const auto size = base::fs::file_size(directory_.path() / "a.log");
  EXPECT_TRUE(agent_->wait_for(
      [&] { return base::fs::file_size(directory_.path() / "a.log") > size + 100; }));
}

constexpr const char* kWithStraying =
    "setsid sh -c 'echo $$ > straying; while :; do echo x >> beats; sleep 0.01; done' & "
    "while ! test -s beats; do sleep 0.01; done; echo up >> $TRACE; exec sleep 1000";

TEST_F(KeptProcessTest, WhatHasLeftItsGroupStandsStillAndEndsWithItUnderTheNextAgentToo) {
  if (!use_cgroups()) GTEST_SKIP() << "needs root and cgroups";
  const base::fs::path beats = directory_.path() / "beats";
  begin();
  const ComponentSpec spec = make_spec("a", "1", {{Step::run, kWithStraying}});
  ASSERT_TRUE(agent_->change({spec}).ok);
  ASSERT_TRUE(agent_->wait_for([&] { return trace() == "up\n"; }));
  const pid_t straying = std::stoi(base::read_file(directory_.path() / "straying"));
  for (int i = 0; i < 2; ++i) {
    Component& component = *agent_->supervisor.find("a");
    EXPECT_TRUE(component.pause());
    const auto stands_still = [&] {
      const auto before = base::fs::file_size(beats);
      usleep(100'000);
      return base::fs::file_size(beats) == before;
    };
    ASSERT_TRUE(agent_->wait_for(stands_still));
    if (i == 0) {
      begin();
      ASSERT_TRUE(agent_->change({spec}).ok);
      EXPECT_TRUE(agent_->supervisor.find("a")->paused());
    }
    const auto size = base::fs::file_size(beats);
    EXPECT_TRUE(agent_->supervisor.find("a")->resume());
    ASSERT_TRUE(agent_->wait_for([&] { return base::fs::file_size(beats) > size; }));
  }
  EXPECT_TRUE(agent_->supervisor.find("a")->pause());
  ASSERT_TRUE(agent_->change({}).ok);
  EXPECT_TRUE(agent_->wait_for([&] { return is_gone(straying); }));
  // Nor is anything left of its cgroup.
  EXPECT_TRUE(agent_->wait_for([&] {
    for (const base::fs::path& base : cgroups_.bases()) {
      for (const auto& entry : base::fs::directory_iterator(base)) {
        if (entry.is_directory()) return false;
      }
    }
    return true;
  }));
}

TEST_F(KeptProcessTest, ItsLimitOfMemoryIsKeptAndToldOf) {
  if (!use_cgroups()) GTEST_SKIP() << "needs root and cgroups";
  ComponentSpec spec = make_spec(
      "a", "1", {{Step::run, "head -c 200000000 /dev/zero | tail | wc -c; test -e never"}});
  spec.limits.memory_kib = 32 << 10;
  begin();
  (void)agent_->change({spec});  // it may be up for a moment before it reaches its limit
  const Component* const component = agent_->supervisor.find("a");
  EXPECT_TRUE(agent_->wait_for([&] {
    return component->reason().find("its limit of memory was reached") != std::string::npos;
  })) << component->reason();
  EXPECT_EQ(component->note(), "");
}

TEST_F(KeptProcessTest, LimitsChangeWhileItRuns) {
  if (!use_cgroups()) GTEST_SKIP() << "needs root and cgroups";
  ComponentSpec spec = make_spec("a", "1", {{Step::run, "exec sleep 1000"}});
  const auto limit = [&]() -> std::string {
    for (const base::fs::path& base : cgroups_.bases()) {
      for (const auto& entry : base::fs::directory_iterator(base)) {
        for (const char* const name : {"memory.max", "memory.limit_in_bytes"}) {
          if (const auto text = base::read_file_if_exists(entry.path() / name)) return *text;
        }
      }
    }
    return "";
  };
  spec.limits.memory_kib = 64 << 10;
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  const pid_t pid = agent_->pid_of("a");
  EXPECT_EQ(limit(), "67108864\n");
  spec.limits.memory_kib = 65 << 10;
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_EQ(limit(), "68157440\n");
  spec.limits = {};
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_NE(limit(), "68157440\n");
  EXPECT_EQ(agent_->pid_of("a"), pid);
}

TEST_F(KeptProcessTest, WithoutACgroupItRunsAndItsNoteSaysSo) {
  ComponentSpec spec = make_spec("a", "1", {{Step::run, "exec sleep 1000"}});
  spec.limits.memory_kib = 1024;
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_NE(agent_->supervisor.find("a")->note().find("its limit of memory is not kept"),
            std::string::npos);
}

TEST_F(KeptProcessTest, InItsSandboxTheSystemIsReadOnlyAndTheRestAsItsLevelSays) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  const std::string own = directory_.path().string();
  const std::string mark = "andon-mark-" + std::to_string(getpid());
  const std::string run =
      "touch /usr/" + mark + " 2> /dev/null && echo wrote; touch /etc/" + mark +
      " 2> /dev/null && echo wrote; touch /tmp/" + mark +
      " && echo tmp; grep NoNewPrivs /proc/self/status; echo links $(grep -c : /proc/net/dev); "
      "echo x > /dev/null && echo device; exec sleep 1000";
  for (const auto& [level, tmp_is_shared] :
       {std::pair{SandboxLevel::guarded, true}, std::pair{SandboxLevel::strict, false},
        std::pair{SandboxLevel::offline, false}}) {
    std::vector<std::string> places{"w/does-not-exist", "w" + own};
    if (tmp_is_shared) places.insert(places.begin(), "w/tmp");
    host_.set_sandbox({level, places});
    std::error_code gone;
    base::fs::remove("/tmp/" + mark, gone);
    begin();
    ASSERT_TRUE(agent_
                    ->change({make_spec("a", std::to_string(static_cast<int>(level)),
                                        {{Step::run, "(" + run + ") >> $TRACE"}})})
                    .ok);
    ASSERT_TRUE(agent_->wait_for([&] { return trace().ends_with("device\n"); }))
        << trace() << base::read_file_if_exists(directory_.path() / "a.log").value_or("");
    EXPECT_EQ(trace().find("wrote"), std::string::npos) << trace();
    EXPECT_NE(trace().find("NoNewPrivs:\t1"), std::string::npos) << trace();
    EXPECT_NE(trace().find("tmp\n"), std::string::npos) << trace();
    EXPECT_EQ(base::fs::exists("/tmp/" + mark), tmp_is_shared);
    if (level == SandboxLevel::offline) {
      EXPECT_NE(trace().find("links 1\n"), std::string::npos) << trace();
    }
    base::fs::remove(directory_.path() / "trace");
  }
  std::error_code gone;
  base::fs::remove("/tmp/" + mark, gone);
}

TEST_F(KeptProcessTest, GoesOnWhereItDependsOnWhatHasNoProcess) {
  const ComponentSpec library = make_spec("library", "1", {{Step::install, "true"}});
  const ComponentSpec app = make_spec("app", "1", {{Step::run, "exec sleep 1000"}}, {"library"});
  begin();
  ASSERT_TRUE(agent_->change({library, app}).ok);
  const pid_t pid = agent_->pid_of("app");
  begin();
  ASSERT_TRUE(agent_->change({library, app}).ok);
  EXPECT_EQ(agent_->pid_of("app"), pid);
  begin();
  ASSERT_TRUE(agent_->change({make_spec("library", "2", {{Step::install, "true"}}), app}).ok);
  EXPECT_NE(agent_->pid_of("app"), pid);
}

TEST_F(KeptProcessTest, AnEndWhileNoAgentRanIsToldWithItsCodeAndCountsAsAnError) {
  const ComponentSpec spec =
      make_spec("a", "1",
                {{Step::run,
                  "echo run >> $TRACE; test -e second && exec sleep 1000; touch second; "
                  "while ! test -e go; do sleep 0.01; done; echo the lens is gone; exit 7"},
                 {Step::recover, "echo recover >> $TRACE"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  end();
  std::ofstream(directory_.path() / "go") << "go";
  ASSERT_TRUE(wait_for_end("a"));
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  const Component* const component = agent_->supervisor.find("a");
  EXPECT_NE(component->reason().find(
                "step run ended with exit code 7 while no agent ran; its last line of output: the "
                "lens is gone"),
            std::string::npos)
      << component->reason();
  EXPECT_EQ(component->status_code(), "RUN_ERROR");
  EXPECT_EQ(trace(), "run\nrecover\nrun\n");
}

TEST_F(KeptProcessTest, AGoodEndWhileNoAgentRanIsNoError) {
  const ComponentSpec spec = make_spec(
      "a", "1",
      {{Step::run, "echo run >> $TRACE; while ! test -e go; do sleep 0.01; done; exit 0"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  end();
  std::ofstream(directory_.path() / "go") << "go";
  ASSERT_TRUE(wait_for_end("a"));
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_EQ(agent_->supervisor.find("a")->state(), ComponentState::finished);
  EXPECT_EQ(trace(), "run\n");
}

TEST_F(KeptProcessTest, OneThatEndedBecauseItsAgentWasGoneIsStartedAnewWithoutAnError) {
  const ComponentSpec spec = make_spec("a", "1",
                                       {{Step::run,
                                         "echo run >> $TRACE; test -e go && exec sleep 1000; while "
                                         "! test -e go; do sleep 0.01; done"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  agent_->supervisor.find("a")->note_client(true);
  end();
  std::ofstream(directory_.path() / "go") << "go";
  ASSERT_TRUE(wait_for_end("a"));
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_EQ(agent_->supervisor.find("a")->state(), ComponentState::running);
  EXPECT_EQ(agent_->supervisor.find("a")->reason(), "");
  EXPECT_EQ(trace(), "run\nrun\n");
}

TEST_F(KeptProcessTest, ErrorsInARowAreCountedOverAgents) {
  // Each run ends once it is let go.
  const ComponentSpec spec = make_spec(
      "a", "1",
      {{Step::run,
        "echo run >> $TRACE; n=$(grep -c run $TRACE); while ! test -e go$n; do sleep 0.01; done; "
        "exit 7"}});
  const auto let_go = [&](const char* run) { std::ofstream(directory_.path() / run) << "go"; };
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  let_go("go1");
  let_go("go2");
  ASSERT_TRUE(agent_->wait_for([&] { return trace() == "run\nrun\nrun\n"; }));
  end();  // while the third and last one runs
  let_go("go3");
  ASSERT_TRUE(wait_for_end("a"));
  begin();
  const ChangeResult result = agent_->change({spec});
  EXPECT_FALSE(result.ok);
  EXPECT_EQ(agent_->supervisor.find("a")->state(), ComponentState::broken);
  EXPECT_EQ(trace(), "run\nrun\nrun\n");
}

TEST_F(KeptProcessTest, WhatIsWantedOtherwiseByThenIsStoppedAndWhatNobodyWantsEnds) {
  const std::string run =
      "trap 'echo end $COMPONENT >> $TRACE; exit 0' TERM; while :; do sleep 0.01; done";
  begin();
  ASSERT_TRUE(agent_
                  ->change({make_spec("a", "1", {{Step::run, run}}),
                            make_spec("b", "1", {{Step::run, run}})})
                  .ok);
  const pid_t old_a = agent_->pid_of("a");
  const pid_t old_b = agent_->pid_of("b");
  begin();
  ASSERT_TRUE(agent_->change({make_spec("a", "2", {{Step::run, "exec sleep 1000"}})}).ok);
  EXPECT_NE(agent_->pid_of("a"), old_a);
  EXPECT_EQ(agent_->supervisor.find("a")->spec().version, "2");
  EXPECT_TRUE(agent_->wait_for([&] { return is_gone(old_a) && is_gone(old_b); }));
  EXPECT_NE(trace().find("end a\n"), std::string::npos);
  EXPECT_NE(trace().find("end b\n"), std::string::npos);
}

TEST_F(KeptProcessTest, AServiceOfAStartupStepIsTakenUpAndEndsWithItsComponent) {
  const ComponentSpec spec =
      make_spec("a", "1", {{Step::startup, "sleep 1000 & echo $! > pid; exit 0"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  const pid_t service = std::stoi(base::read_file(directory_.path() / "pid"));
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_EQ(agent_->supervisor.find("a")->state(), ComponentState::running);
  EXPECT_FALSE(is_gone(service));
  ASSERT_TRUE(agent_->change({}).ok);
  EXPECT_TRUE(agent_->wait_for([&] { return is_gone(service); }));
}

TEST_F(KeptProcessTest, AKilledKeeperTakesItsProcessAlongAndItIsStartedAnew) {
  const ComponentSpec spec = make_spec("a", "1", {{Step::run, "sleep 1000 & wait"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  const pid_t first = agent_->pid_of("a");
  kill(kept_state(place("a")).value().keeper, SIGKILL);
  EXPECT_TRUE(agent_->wait_for(
      [&] { return agent_->pid_of("a") != 0 && agent_->pid_of("a") != first && is_gone(first); }));
  // The same while no agent runs.
  const pid_t second = agent_->pid_of("a");
  const pid_t keeper = kept_state(place("a")).value().keeper;
  end();
  kill(keeper, SIGKILL);
  begin();
  ASSERT_TRUE(agent_->wait_for([&] { return !has_keeper(place("a")); }));
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_NE(agent_->pid_of("a"), second);
  EXPECT_TRUE(is_gone(second));
}

TEST_F(KeptProcessTest, AKeeperWhoseFilesWereRemovedEndsWithItsProcess) {
  const ComponentSpec spec =
      make_spec("a", "1", {{Step::run, "while :; do echo line; sleep 0.01; done"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  const pid_t pid = agent_->pid_of("a");
  end();
  base::fs::remove_all(directory_.path() / "processes");
  const auto limit = std::chrono::steady_clock::now() + kLimit;
  while (!is_gone(pid) && std::chrono::steady_clock::now() < limit) usleep(1000);
  EXPECT_TRUE(is_gone(pid));
}

TEST_F(KeptProcessTest, APausedOneIsKnownToStandStill) {
  const ComponentSpec spec = make_spec("a", "1", {{Step::run, "sleep 1000 & wait"}});
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_TRUE(agent_->supervisor.find("a")->pause());
  const std::string stat = "/proc/" + std::to_string(agent_->pid_of("a")) + "/stat";
  ASSERT_TRUE(
      agent_->wait_for([&] { return base::read_file(stat).find(") T ") != std::string::npos; }));
  begin();
  ASSERT_TRUE(agent_->change({spec}).ok);
  EXPECT_TRUE(agent_->supervisor.find("a")->paused());
  EXPECT_TRUE(agent_->supervisor.find("a")->resume());
}

TEST_F(KeptProcessTest, ATokenAndAClientAreKnownToTheNextAgent) {
  begin();
  ASSERT_TRUE(agent_->change({make_spec("a", "1", {{Step::run, "exec sleep 1000"}})}).ok);
  agent_->supervisor.find("a")->note_client(true);
  end();
  const std::vector<KeptRecord> kept = ProcessJournal(directory_.path() / "processes").kept();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_TRUE(kept[0].has_client);
  EXPECT_EQ(kept[0].token, "token of a");
}

TEST_F(KeptProcessTest, AStartThatCannotBeLeavesNothingBehind) {
  host_.set_directory(directory_.path() / "nowhere");
  begin();
  const ChangeResult result = agent_->change({make_spec("a", "1", {{Step::run, "sleep 1000"}})});
  EXPECT_FALSE(result.ok);
  EXPECT_NE(result.reason.find("nowhere cannot be entered"), std::string::npos) << result.reason;
  EXPECT_TRUE(agent_->journal.kept().empty());
}

TEST(KeptRecordTest, IsReadAsItWasWrittenAndRefusedWhereItIsDamaged) {
  KeptRecord record;
  record.component = "a";
  record.step = ServiceStep::startup;
  record.errors = 2;
  record.deadline = LoopClock::Instant(milliseconds(7));
  const KeptRecord again = parse_kept_record(to_text(record));
  EXPECT_EQ(to_text(again), to_text(record));
  EXPECT_EQ(again.deadline, record.deadline);
  EXPECT_THROW(static_cast<void>(parse_kept_record("{}")), base::Error);
  EXPECT_THROW(static_cast<void>(parse_kept_record(to_text(record).substr(0, 40))), base::Error);
}

}  // namespace
}  // namespace andon::edge
