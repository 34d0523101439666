// SPDX-License-Identifier: Apache-2.0
// Jobs in their real sandbox, with the rights that the tests have: as root each has a user of its
// own, else there is a user namespace.
#include "job/keeper/keeper.hpp"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/error/error.hpp"
#include "job/order/log.hpp"

namespace andon::job {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class KeeperTest : public testing::Test {
 protected:
  KeeperTest() : directory_(parent_.path() / "job") {
    order_.id = "job";
    if (geteuid() == 0) order_.rules.user = 60'900;
    order_.rules.limits = {
        .memory_bytes = 256U << 20U, .disk_bytes = 32U << 20U, .processes = 40, .cpus = 0};
    order_.timeout = std::chrono::seconds(60);
    order_.command.environment = {{"PATH", "/usr/bin:/bin"}, {"HOME", "/job"}};
  }

  // The test itself becomes no keeper: it has one made, and waits for its end.
  JobResult run(const std::string& script) {
    begin(script);
    return wait();
  }
  void begin(const std::string& script) {
    order_.command.arguments = {"sh", "-c", script};
    begin();
  }
  void begin() {
    directory_.remove();
    directory_.make(order_.rules.user);
    directory_.write_order(order_);
    start_keeper(program(), directory_);
    keeper_ = directory_.keeper();
  }
  JobResult wait() {
    if (keeper_) {
      pollfd waiting{keeper_.get(), POLLIN, 0};
      if (poll(&waiting, 1, 60'000) != 1) throw std::runtime_error("the job did not end in time");
    }
    auto result = directory_.result();
    if (!result) throw std::runtime_error("the job left no result");
    return *result;
  }
  [[nodiscard]] std::string log() const { return read_log(directory_.path(), 0, 1U << 20U).bytes; }
  void wait_for_log(const std::string& text) const {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (log().find(text) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), limit) << log();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  static fs::path program() {
    return fs::read_symlink("/proc/self/exe").parent_path() / "andon-job";
  }

  base::TemporaryDirectory parent_{"/var/tmp"};  // not what the job sees as its own
  JobDirectory directory_;
  JobOrder order_;
  base::UniqueFd keeper_;
};

TEST_F(KeeperTest, ACommandsOutputAndExitCodeAreKept) {
  const JobResult result = run("echo out; echo err >&2; pwd; echo made > file; exit 3");
  EXPECT_EQ(result.end, JobEnd::exited) << result.message;
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(log(), "out\nerr\n/job\n");
  EXPECT_EQ(base::read_file(directory_.work() / "file"), "made\n");
}

TEST_F(KeeperTest, AProgramThatIsNotThereIsNamed) {
  order_.command.arguments = {"no-such-program"};
  begin();
  const JobResult result = wait();
  EXPECT_EQ(result.end, JobEnd::not_started);
  EXPECT_THAT(result.message, HasSubstr("no-such-program"));
}

TEST_F(KeeperTest, SeesItsOwnFilesAndTheSystemsAndNoOthers) {
  std::ofstream(parent_.path() / "secret") << "secret of another";
  fs::permissions(parent_.path() / "secret", fs::perms::all);
  const std::string secret = parent_.path() / "secret";
  const JobResult result = run("ls /; cat " + secret + "; ls " + parent_.path().string() +
                               "; ls /root /home /var /run /etc/shadow /sys; touch /usr/x /x "
                               "/etc/x; ls -d /usr/bin; echo done > /tmp/t && cat /tmp/t");
  EXPECT_EQ(result.end, JobEnd::exited) << result.message;
  EXPECT_THAT(log(), AllOf(HasSubstr("/usr/bin\n"), HasSubstr("done\n"),
                           Not(HasSubstr("secret of another"))));
  for (const char* path : {"/root", "/home", "/var", "/run", "/etc/shadow", "/sys"}) {
    EXPECT_THAT(log(), HasSubstr("cannot access '" + std::string(path))) << path;
  }
  EXPECT_THAT(log(), HasSubstr("cannot touch '/usr/x'"));
  EXPECT_THAT(log(), HasSubstr("cannot touch '/x'"));
}

TEST_F(KeeperTest, ADirectoryThatIsSharedIsReadAndOneInItThatIsHiddenIsEmpty) {
  const fs::path shared = parent_.path() / "shared";
  fs::create_directories(shared / "data");
  std::ofstream(shared / "program") << "shared text\n";
  std::ofstream(shared / "data/key") << "hidden text\n";
  for (const fs::path& path : {parent_.path(), shared, shared / "data"}) {
    fs::permissions(path, fs::perms::all);
  }
  order_.rules.read_only = {shared};
  order_.rules.hidden = {shared / "data"};
  (void)run("cat " + (shared / "program").string() + " " + (shared / "data/key").string() +
            "; touch " + (shared / "made").string());
  EXPECT_THAT(log(), AllOf(HasSubstr("shared text"), Not(HasSubstr("hidden text"))));
  EXPECT_FALSE(fs::exists(shared / "made"));
}

TEST_F(KeeperTest, SeesNoProcessButItsOwnAndHasNoRights) {
  (void)run(
      "echo /proc/[0-9]*; grep -E 'CapEff|CapBnd|NoNewPrivs|Seccomp:' /proc/self/status; "
      "kill -9 1; echo still here; unshare -Ur true; mount -t tmpfs x /tmp; "
      "ls -l /proc/self/fd | wc -l");
  EXPECT_THAT(log(),
              AllOf(HasSubstr("CapEff:\t0000000000000000"), HasSubstr("CapBnd:\t0000000000000000"),
                    HasSubstr("NoNewPrivs:\t1"), HasSubstr("Seccomp:\t2"), HasSubstr("still here"),
                    HasSubstr("unshare failed")));
  EXPECT_THAT(log(), Not(HasSubstr(std::to_string(getpid()))));
  // 0, 1, 2, and what ls has open; a line before them.
  EXPECT_THAT(log(), testing::EndsWith("\n5\n"));
}

TEST_F(KeeperTest, EverythingThatItStartedEndsWithIt) {
  (void)run("(setsid sh -c 'echo on; sleep 1000' &) ; (sleep 1000 &) ; sleep 0.2; exit 0");
  EXPECT_THAT(log(), HasSubstr("on"));
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::error_code gone;
    const auto root = fs::read_symlink(entry.path() / "cwd", gone);
    if (!gone) {
      EXPECT_NE(root, directory_.work());
    }
  }
}

TEST_F(KeeperTest, IsEndedWhenItsTimeIsOver) {
  order_.timeout = std::chrono::seconds(1);
  const JobResult result = run("trap 'echo told; exit 0' TERM; echo on; sleep 1000 & wait");
  EXPECT_EQ(result.end, JobEnd::timed_out);
  EXPECT_THAT(log(), HasSubstr("told"));
}

TEST_F(KeeperTest, IsEndedWhenItGivesNoSignOfLife) {
  order_.heartbeat = std::chrono::seconds(1);
  EXPECT_EQ(run("for i in 1 2 3 4; do sleep 0.5; touch .heartbeat; done; sleep 1000").end,
            JobEnd::silent);
}

TEST_F(KeeperTest, IsStoppedWhenItIsAskedToAlsoAgainstItsWill) {
  begin("trap '' TERM; echo on; while true; do sleep 0.1; done");
  wait_for_log("on");
  ASSERT_EQ(syscall(SYS_pidfd_send_signal, keeper_.get(), SIGTERM, nullptr, 0), 0);
  EXPECT_EQ(wait().end, JobEnd::stopped);
}

TEST_F(KeeperTest, EndsWhenItsOrderIsRemoved) {
  begin("echo on; sleep 1000");
  wait_for_log("on");
  fs::remove(directory_.order_file());
  EXPECT_EQ(wait().end, JobEnd::stopped);
}

TEST_F(KeeperTest, EndsWithItsKeeper) {
  begin("echo on; sleep 1000");
  wait_for_log("on");
  ASSERT_EQ(syscall(SYS_pidfd_send_signal, keeper_.get(), SIGKILL, nullptr, 0), 0);
  pollfd waiting{keeper_.get(), POLLIN, 0};
  ASSERT_EQ(poll(&waiting, 1, 30'000), 1);
  EXPECT_FALSE(directory_.has_keeper());
  EXPECT_FALSE(directory_.result());
}

TEST_F(KeeperTest, TakesNoMoreMemoryThanItMay) {
  const JobResult result =
      run("python3 -c 'x=[bytearray(32<<20) for i in range(100)]; print(\"got it\")' || echo no; "
          "for i in 1 2 3; do (python3 -c 'import time; x=bytearray(150<<20); time.sleep(60)' &); "
          "done; sleep 60");
  EXPECT_EQ(result.end, JobEnd::memory_exceeded) << result.message;
  EXPECT_THAT(log(), AllOf(HasSubstr("MemoryError"), Not(HasSubstr("got it"))));
}

TEST_F(KeeperTest, TakesNoMoreDiskThanItMay) {
  const JobResult result = run(
      "dd if=/dev/zero of=big bs=1M count=100; i=0; "
      "while true; do dd if=/dev/zero of=/tmp/f$i bs=1M count=20; i=$((i+1)); done 2>/dev/null");
  EXPECT_EQ(result.end, JobEnd::disk_exceeded);
  EXPECT_THAT(log(), HasSubstr("File size limit exceeded"));
  EXPECT_LE(fs::file_size(directory_.work() / "big"), 32U << 20U);
}

TEST_F(KeeperTest, FilesWithoutANameCountAsWell) {
  EXPECT_EQ(run("python3 -c '\nimport os,time\nkept=[]\nfor i in range(9):\n  "
                "f=open(\"f\",\"wb\"); os.unlink(\"f\"); f.write(bytes(20<<20)); f.flush(); "
                "kept.append(f)\ntime.sleep(60)'")
                .end,
            JobEnd::disk_exceeded);
}

TEST_F(KeeperTest, StartsNoMoreProcessesThanItMay) {
  const JobResult result =
      run("i=0; while [ $i -lt 200 ]; do sleep 30 & i=$((i+1)); done; echo all");
  EXPECT_EQ(result.end, JobEnd::exited);
  EXPECT_THAT(log(), Not(HasSubstr("all")));
  EXPECT_THAT(log(), HasSubstr("fork"));
}

TEST_F(KeeperTest, StaysOnAsManyProcessorsAsItMayUse) {
  order_.rules.limits.cpus = 0.5;
  EXPECT_EQ(run("nproc; taskset -p 3 $$ || echo refused").end, JobEnd::exited);
  EXPECT_THAT(log(), AllOf(testing::StartsWith("1\n"), HasSubstr("refused")));
}

TEST_F(KeeperTest, WithoutPortsItReachesNobody) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 5), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  const std::string port = std::to_string(ntohs(address.sin_port));
  const std::string script =
      "python3 -c '\nimport socket\nfor what in [(\"stream\", socket.SOCK_STREAM), "
      "(\"datagram\", socket.SOCK_DGRAM)]:\n  try:\n    s=socket.socket(socket.AF_INET, what[1]); "
      "s.connect((\"127.0.0.1\"," +
      port +
      ")); s.send(b\"x\"); print(what[0], \"reached\")\n  except OSError as e:\n    "
      "print(what[0], e.errno)\ntry:\n  s=socket.create_connection((\"127.0.0.1\",9)); "
      "print(\"other reached\")\nexcept OSError as e: print(\"other\", e.errno)'";
  (void)run(script);
  EXPECT_THAT(log(), HasSubstr("stream 111"));  // nobody listens in its own network
  EXPECT_THAT(log(), HasSubstr("other 111"));
  order_.rules.ports = {ntohs(address.sin_port)};
  const JobResult result = run(script);
  if (result.end == JobEnd::refused) {
    EXPECT_THAT(result.message, HasSubstr("Landlock of version 6"));
  } else {
    EXPECT_THAT(log(), AllOf(HasSubstr("stream reached"), HasSubstr("datagram 1\n"),
                             HasSubstr("other 13")));
  }
  close(listener);
}

TEST_F(KeeperTest, ACgroupThatCannotBeUsedIsRefusedByName) {
  order_.rules.cgroup = parent_.path();
  const JobResult result = run("true");
  EXPECT_EQ(result.end, JobEnd::refused);
  EXPECT_THAT(result.message, HasSubstr("no directory of a cgroup file system of version 2"));
}

}  // namespace
}  // namespace andon::job
