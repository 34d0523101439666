// SPDX-License-Identifier: Apache-2.0
#include "rights/topic_filter.hpp"

#include <gtest/gtest.h>

namespace andon::rights {
namespace {

TEST(TopicFilter, CoversWhatItMatchesAndNoMore) {
  struct Case {
    const char* right;
    const char* filter;
    bool covers;
  };
  for (const auto& [right, filter, expected] : {
           Case{"a/#", "a/#", true},
           Case{"a/#", "a/+/b", true},
           Case{"a/#", "a", true},
           Case{"a/#", "+/b", false},
           Case{"a/#", "#", false},
           Case{"a/+/c", "a/b/c", true},
           Case{"a/+/c", "a/+/c", true},
           Case{"a/+/c", "a/#", false},
           Case{"a/+/c", "a/b/c/d", false},
           Case{"a/b", "a/+", false},
           Case{"#", "#", true},
           Case{"#", "$aws/x", false},
           Case{"+/x", "$aws/x", false},
           Case{"$aws/#", "$aws/things/x", true},
           Case{"a/+", "a", false},
           Case{"a/+", "a/", true},
           Case{"a//b", "a//b", true},
           Case{"", "a", false},
           Case{"a", "", false},
           Case{"dt/+/line-1/#", "dt/+/line-1/#", true},
           Case{"dt/+/line-1/#", "dt/+/line-10/#", false},
       }) {
    EXPECT_EQ(covers(right, filter), expected) << right << " over " << filter;
  }
  EXPECT_EQ(without_share("$share/g/a/b"), "a/b");
  EXPECT_EQ(without_share("$share/g"), "");
  EXPECT_EQ(without_share("a/b"), "a/b");
}

TEST(TopicFilter, MeetsWhatHasATopicInCommon) {
  struct Case {
    const char* one;
    const char* other;
    bool meet;
  };
  for (const auto& [one, other, expected] : {
           Case{"andon/#", "andon/things/x", true},
           Case{"andon/#", "#", true},
           Case{"andon/#", "+/#", true},
           Case{"andon/#", "+", true},
           Case{"andon/#", "+/things", true},
           Case{"andon/#", "dt/#", false},
           Case{"andon/#", "andon", true},
           Case{"cmd/andon/#", "cmd/+/line-1", true},
           Case{"cmd/andon/#", "cmd/site/line-1", false},
           Case{"cmd/andon/#", "cmd", false},
           Case{"cmd/andon/#", "cmd/#", true},
           Case{"$aws/#", "#", false},
           Case{"$aws/#", "+/things", false},
           Case{"$aws/#", "$aws/things/+/jobs", true},
           Case{"$SYS/#", "$aws/#", false},
           Case{"a/+/c", "a/b/+", true},
           Case{"a/+/c", "a/b/d", false},
           Case{"a/b", "a/b/c", false},
           Case{"a/b", "a/b/#", true},
           Case{"a", "", false},
       }) {
    EXPECT_EQ(may_meet(one, other), expected) << one << " and " << other;
    EXPECT_EQ(may_meet(other, one), expected) << other << " and " << one;
  }
}

}  // namespace
}  // namespace andon::rights
