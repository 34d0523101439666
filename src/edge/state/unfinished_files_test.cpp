// SPDX-License-Identifier: Apache-2.0
#include "edge/state/unfinished_files.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace andon::edge {
namespace {

TEST(UnfinishedFiles, OfWhoWasKilledWhileItWroteGoAndNothingElseDoes) {
  const base::TemporaryDirectory directory;
  for (const auto* name :
       {"device.crt", "device.crt.new", "device.crt.tmp-abc", "device.crt.tmp-ABCDEFGH",
        ".tmp-abcd1234", "device.crt.tmp-abcd1234", "device.crt.new.tmp-00000000"}) {
    base::write_file_atomically(directory.path() / name, "x");
  }
  remove_unfinished_files(directory.path());
  remove_unfinished_files(directory.path() / "absent");
  std::vector<std::string> left;
  for (const auto& entry : base::fs::directory_iterator(directory.path())) {
    left.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(left,
              testing::UnorderedElementsAre("device.crt", "device.crt.new", "device.crt.tmp-abc",
                                            "device.crt.tmp-ABCDEFGH", ".tmp-abcd1234"));
}

}  // namespace
}  // namespace andon::edge
