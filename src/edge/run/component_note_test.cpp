// SPDX-License-Identifier: Apache-2.0
#include "edge/run/component_note.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/os/file.hpp"

namespace andon::edge {
namespace {

TEST(ComponentNote, HasACodeOfItsOwnThatTheDocumentsKnow) {
  const std::string documents = base::read_file(ANDON_SOURCE_DIR "/docs/agent.md");
  std::set<std::string> codes;
  for (int code = 0; code <= static_cast<int>(NoteCode::publish_refused); ++code) {
    const std::string name(to_string(static_cast<NoteCode>(code)));
    EXPECT_TRUE(codes.insert(name).second) << name;
    EXPECT_THAT(documents, testing::HasSubstr("| `" + name + "` |"));
  }
}

}  // namespace
}  // namespace andon::edge
