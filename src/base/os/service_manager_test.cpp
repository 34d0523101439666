// SPDX-License-Identifier: Apache-2.0
#include "base/os/service_manager.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>

#include "base/os/file.hpp"

namespace andon::base {
namespace {

using namespace std::chrono_literals;

// What systemd has at the other end.
class Listener {
 public:
  explicit Listener(const std::string& name)
      : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  }

  std::string next() {
    std::array<char, 100> buffer{};
    const ssize_t got = recv(fd_.get(), buffer.data(), buffer.size(), 0);
    return got < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(got));
  }

 private:
  UniqueFd fd_;
};

TEST(ServiceManager, TellsEachStateInADatagramOfItsOwn) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "notify";
  Listener systemd(path);
  const ServiceManager manager(path, std::nullopt);
  EXPECT_TRUE(manager.ready());
  EXPECT_TRUE(manager.alive());
  EXPECT_TRUE(manager.stopping());
  EXPECT_EQ(systemd.next(), "READY=1");
  EXPECT_EQ(systemd.next(), "WATCHDOG=1");
  EXPECT_EQ(systemd.next(), "STOPPING=1");
}

TEST(ServiceManager, KnowsTheAbstractNamespace) {
  const std::string name = "@andon-service-manager-test-" + std::to_string(getpid());
  Listener systemd(name);
  EXPECT_TRUE(ServiceManager(name, std::nullopt).ready());
  EXPECT_EQ(systemd.next(), "READY=1");
}

TEST(ServiceManager, TellsNothingWhereNobodyWatches) {
  EXPECT_FALSE(ServiceManager().ready());
  EXPECT_FALSE(ServiceManager("", 1s).alive_interval().has_value());
  EXPECT_FALSE(ServiceManager("/nonexistent/socket", 1s).ready());
  EXPECT_FALSE(ServiceManager("no-path", 1s).ready());
  EXPECT_FALSE(ServiceManager("/" + std::string(200, 'x'), 1s).ready());
}

TEST(ServiceManager, WaitsNoLongerThanItSaysForASocketThatIsFull) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() / "notify";
  const Listener systemd(path);
  const ServiceManager manager(path, 1s);
  int taken = 0;
  while (manager.alive()) ASSERT_LT(++taken, 100'000);
  EXPECT_GT(taken, 0);
  EXPECT_FALSE(manager.ready());  // ends, after its patience
}

TEST(ServiceManager, TakesItsVariablesOutOfTheEnvironment) {
  setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
  setenv("WATCHDOG_USEC", "60000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  const ServiceManager manager = ServiceManager::from_environment();
  EXPECT_EQ(manager.alive_interval(), 30s);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
    EXPECT_EQ(std::getenv(name), nullptr) << name;
  }
}

TEST(ServiceManager, KeepsNoWatchdogThatIsAnothersOrSenseless) {
  struct Case {
    const char* silence;
    std::string pid;
  };
  for (const Case& it : {Case{"60000000", "1"}, Case{"0", ""}, Case{"-5", ""}, Case{"soon", ""},
                         Case{"99999999999999999", ""}}) {
    setenv("NOTIFY_SOCKET", "/run/systemd/notify", 1);
    setenv("WATCHDOG_USEC", it.silence, 1);
    setenv("WATCHDOG_PID", it.pid.c_str(), 1);
    EXPECT_FALSE(ServiceManager::from_environment().alive_interval().has_value()) << it.silence;
  }
}

}  // namespace
}  // namespace andon::base
