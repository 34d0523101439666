// SPDX-License-Identifier: Apache-2.0
// What parts of the agent stand on, for their tests: the files of a device in a directory of its
// own, its database, its loop, whose clock the test turns, what is installed and how it is
// configured. Thread of the test.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "base/testing/fake_clock.hpp"
#include "edge/ipc/access_policy.hpp"
#include "edge/run/component_host.hpp"
#include "edge/state/state_database.hpp"
#include "edge/testing/enrolled_device.hpp"
#include "edge/testing/fake_loop_clock.hpp"
#include "edge/testing/installed_component.hpp"
#include "edge/testing/settle.hpp"

namespace andon::edge {

class DeviceFixture : public testing::Test {
 protected:
  explicit DeviceFixture(base::Timestamp now = base::from_epoch_millis(1'000'000)) : clock_(now) {}

  // Installs these components, each with its configuration.
  void install(const Configurations& components) {
    InstalledSet set;
    for (const auto& [name, configuration] : components) {
      set.components.push_back(installed_component(name));
    }
    host_.activate(set, {});
    configurations_.adopt(components);
  }

  base::TemporaryDirectory directory_;
  Layout layout_{directory_.path()};
  DeviceConfig device_ = enrolled_device();
  base::FakeClock clock_;
  FakeLoopClock loop_clock_;
  EventLoop loop_{loop_clock_};
  std::unique_ptr<store::Database> database_ = open_state_database(layout_.database());
  StateWriter writer_{loop_, *database_};
  ConfigurationStore configurations_{*database_, writer_, clock_};
  ComponentTokens tokens_;
  AgentHost host_{device_, layout_, *database_, writer_, configurations_, tokens_};
  AccessPolicy policy_{configurations_, host_};
};

}  // namespace andon::edge
