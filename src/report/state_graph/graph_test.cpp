// SPDX-License-Identifier: Apache-2.0
#include "report/state_graph/graph.hpp"

#include <gmock/gmock.h>

namespace andon::asl {
namespace {

using testing::HasSubstr;

StateMachine machine() {
  return StateMachine::parse(R"({"StartAt":"Each <A&B>","States":{
    "Each <A&B>":{"Type":"Map","Next":"Which","Catch":[{"ErrorEquals":["States.ALL"],"Next":"Done"}],
      "ItemProcessor":{"StartAt":"Inner","States":{"Inner":{"Type":"Pass","End":true}}}},
    "Which":{"Type":"Choice","Choices":[{"Variable":"$.a","IsPresent":true,"Next":"Done"}],
      "Default":"Each <A&B>"},
    "Done":{"Type":"Succeed"}}})");
}

TEST(Graph, DrawsEveryStateAndArrowAsSvg) {
  const std::string svg = draw_svg(machine());
  for (const char* text : {"Each &lt;A&amp;B&gt;", "Which", "Done", "Inner", "Default", "Catch"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_THAT(svg, testing::Not(HasSubstr("<A&B>")));
}

TEST(Graph, DrawsEveryStateAndArrowAsText) {
  const std::string text = draw_text(machine());
  for (const char* part : {"Each <A&B> (Map, start)", "Which (Choice)", "Done (Succeed)", "Inner",
                           "> Which", "Default", "Catch", "(end)"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace andon::asl
