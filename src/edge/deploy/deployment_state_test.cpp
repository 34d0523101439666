// SPDX-License-Identifier: Apache-2.0
#include "edge/deploy/deployment_state.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace andon::edge {
namespace {

using State = DeploymentState;
using Event = DeploymentEvent;

const std::vector<State> kAll{State::received,    State::resolved,  State::fetched,
                              State::verified,    State::staged,    State::activating,
                              State::checked,     State::succeeded, State::rolling_back,
                              State::rolled_back, State::failed};

TEST(DeploymentState, GoesThroughEveryStepInOrder) {
  State state = State::received;
  std::vector<DeploymentWork> works;
  while (!is_end(state)) {
    const auto move = apply(state, Event::work_done, OnFailure::roll_back);
    ASSERT_TRUE(move);
    state = move->next;
    works.push_back(move->work);
  }
  EXPECT_EQ(state, State::succeeded);
  EXPECT_EQ(works,
            (std::vector{DeploymentWork::fetch, DeploymentWork::verify, DeploymentWork::stage,
                         DeploymentWork::ask, DeploymentWork::activate, DeploymentWork::commit,
                         DeploymentWork::none}));
}

TEST(DeploymentState, AFailureBeforeActivationChangesNothingOnTheDevice) {
  for (const State state :
       {State::received, State::resolved, State::fetched, State::verified, State::staged}) {
    EXPECT_EQ(apply(state, Event::work_failed, OnFailure::roll_back)->next, State::failed)
        << to_string(state);
  }
}

TEST(DeploymentState, AFailureWhileActivatingRollsBack) {
  EXPECT_EQ(apply(State::activating, Event::work_failed, OnFailure::roll_back)->next,
            State::rolling_back);
  EXPECT_EQ(apply(State::checked, Event::work_failed, OnFailure::roll_back)->next,
            State::rolling_back);
  EXPECT_EQ(apply(State::rolling_back, Event::work_done, OnFailure::roll_back)->next,
            State::rolled_back);
}

TEST(DeploymentState, ThePolicyDoNothingLeavesTheFailedSet) {
  EXPECT_EQ(apply(State::activating, Event::work_failed, OnFailure::do_nothing)->next,
            State::failed);
}

TEST(DeploymentState, AFailedRollbackEnds) {
  EXPECT_EQ(apply(State::rolling_back, Event::work_failed, OnFailure::roll_back)->next,
            State::failed);
}

TEST(DeploymentState, CancellingIsPossibleOnlyBeforeComponentsAreTouched) {
  for (const State state : kAll) {
    const auto move = apply(state, Event::cancelled, OnFailure::roll_back);
    EXPECT_EQ(move.has_value(), can_cancel(state)) << to_string(state);
    if (move) {
      EXPECT_EQ(move->next, State::failed);
    }
  }
  EXPECT_FALSE(can_cancel(State::activating));
}

TEST(DeploymentState, ResumingDoesTheWorkOfTheSavedStateAgain) {
  const auto move = apply(State::fetched, Event::resumed, OnFailure::roll_back);
  ASSERT_TRUE(move);
  EXPECT_EQ(move->next, State::fetched);
  EXPECT_EQ(move->work, DeploymentWork::verify);
}

TEST(DeploymentState, EndsMoveNowhere) {
  for (const State state : kAll) {
    if (!is_end(state)) continue;
    for (const Event event :
         {Event::work_done, Event::work_failed, Event::cancelled, Event::resumed}) {
      EXPECT_FALSE(apply(state, event, OnFailure::roll_back)) << to_string(state);
    }
  }
}

// A power cut takes it back over states whose work can be done again, to one that is on the disk.
TEST(DeploymentState, WhatWasTouchedOutlivesAPowerCut) {
  for (const State state : kAll) {
    const bool may_be_lost = state == State::resolved || state == State::fetched ||
                             state == State::verified || state == State::staged ||
                             state == State::checked;
    EXPECT_EQ(outlives_power_cut(state), !may_be_lost) << to_string(state);
    EXPECT_TRUE(can_cancel(state) || state == State::checked || outlives_power_cut(state))
        << to_string(state);
  }
}

TEST(DeploymentState, NamesReadBack) {
  for (const State state : kAll) EXPECT_EQ(parse_deployment_state(to_string(state)), state);
  EXPECT_FALSE(parse_deployment_state("TELEPORTING"));
}

}  // namespace
}  // namespace andon::edge
