// SPDX-License-Identifier: Apache-2.0
#include "recipe/recipe/resolve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace andon::recipe {
namespace {

using Kind = ResolutionError::Kind;

// A shelf of component versions; answers with the highest that fits, as a server does.
class Shelf {
 public:
  void add(const std::string& name, const std::string& version,
           const std::map<std::string, std::string>& dependencies = {}) {
    Recipe recipe;
    recipe.component_name = name;
    recipe.component_version = *Version::parse(version);
    for (const auto& [component, requirement] : dependencies) {
      recipe.dependencies.push_back(
          {component, VersionRange::parse(requirement), requirement, DependencyType::hard});
    }
    versions_[name].push_back(recipe);
  }

  CandidateSource source() {
    return [this](const std::string& name,
                  const Requirements& requirements) -> std::optional<Candidate> {
      ++asked;
      const auto range = merged_range(requirements);
      std::optional<Candidate> best;
      for (const auto& recipe : versions_[name]) {
        if (!range.contains(recipe.component_version)) continue;
        if (!best || recipe.component_version > best->recipe.component_version) {
          best = Candidate{recipe, "text of " + recipe.id(), ""};
        }
      }
      return best;
    };
  }

  int asked = 0;

 private:
  std::map<std::string, std::vector<Recipe>> versions_;
};

std::string resolve(Shelf& shelf, const std::vector<RootComponent>& roots) {
  std::string text;
  for (const auto& component : resolve_components(roots, shelf.source())) {
    if (!text.empty()) text += ", ";
    text += component.candidate.recipe.id() + (component.is_root ? "*" : "");
  }
  return text;
}

ResolutionError error_of(Shelf& shelf, const std::vector<RootComponent>& roots) {
  try {
    ADD_FAILURE() << resolve(shelf, roots);
  } catch (const ResolutionError& error) {
    return error;
  }
  return {Kind::no_version, ""};
}

TEST(Resolve, PutsDependenciesBeforeThoseWhoNeedThem) {
  Shelf shelf;
  shelf.add("App", "1.0.0", {{"Model", "^1.0.0"}, {"Runtime", "*"}});
  shelf.add("Model", "1.0.0");
  shelf.add("Model", "1.4.0", {{"Runtime", ">=2.0.0"}});
  shelf.add("Model", "2.0.0");
  shelf.add("Runtime", "1.0.0");
  shelf.add("Runtime", "2.1.0");
  EXPECT_EQ(resolve(shelf, {{"App", "1.0.0", "thinggroup/G"}}),
            "Runtime 2.1.0, Model 1.4.0, App 1.0.0*");
}

TEST(Resolve, TellsWhoWantedWhat) {
  Shelf shelf;
  shelf.add("App", "1.0.0", {{"Lib", "1.x"}, {"aws.greengrass.Nucleus", "^2.0.0"}});
  shelf.add("Lib", "1.1.0");
  const auto resolved = resolve_components(
      {{"App", "1.0.0", "thinggroup/G"}, {"Lib", "1.1.0", "thing/T"}}, shelf.source());
  ASSERT_EQ(resolved.size(), 2U);
  EXPECT_EQ(resolved[0].requirements, (Requirements{{"App", "1.x"}, {"thing/T", "1.1.0"}}));
  EXPECT_TRUE(resolved[0].is_root);
  EXPECT_EQ(resolved[0].candidate.recipe_text, "text of Lib 1.1.0");
  EXPECT_THAT(resolved[1].dependencies, testing::ElementsAre("Lib"));
}

TEST(Resolve, LeavesOutWhatTheAgentProvides) {
  Shelf shelf;
  shelf.add("App", "1.0.0", {{"aws.greengrass.TokenExchangeService", "^2.0.0"}});
  EXPECT_EQ(resolve(shelf, {{"App", "1.0.0", "G"}, {"aws.greengrass.Nucleus", "2.12.0", "G"}}),
            "App 1.0.0*");
  EXPECT_EQ(resolve(shelf, {}), "");
}

TEST(Resolve, ChangesAnEarlierChoiceWhenALaterOneWantsLess) {
  Shelf shelf;
  shelf.add("A", "1.0.0", {{"Lib", ">=1.0.0"}, {"Middle", "*"}});
  shelf.add("Middle", "1.0.0", {{"Lib", "<2.0.0"}});
  shelf.add("Lib", "1.5.0");
  shelf.add("Lib", "2.0.0", {{"OnlyOfTwo", "*"}});
  shelf.add("OnlyOfTwo", "1.0.0");
  EXPECT_EQ(resolve(shelf, {{"A", "1.0.0", "G"}}), "Lib 1.5.0, Middle 1.0.0, A 1.0.0*");
}

TEST(Resolve, TakesAPreReleaseThatADeploymentPins) {
  Shelf shelf;
  shelf.add("App", "1.0.0", {{"Lib", ">=1.0.0"}});
  shelf.add("Lib", "2.0.0-rc.1");
  EXPECT_EQ(resolve(shelf, {{"App", "1.0.0", "G"}, {"Lib", "2.0.0-rc.1", "G"}}),
            "Lib 2.0.0-rc.1*, App 1.0.0*");
}

TEST(Resolve, SaysThatThereIsNoSuchVersion) {
  Shelf shelf;
  shelf.add("App", "1.0.0", {{"Lib", "^3.0.0"}});
  shelf.add("Lib", "2.0.0");
  const auto error = error_of(shelf, {{"App", "1.0.0", "thinggroup/G"}});
  EXPECT_EQ(error.kind(), Kind::no_version);
  EXPECT_EQ(error.code(), base::ErrorCode::not_found);
  EXPECT_THAT(error.message(), testing::StartsWith("no version of Lib fits: App wants \"^3.0.0\""));
}

TEST(Resolve, NamesThoseWhoCannotAgree) {
  Shelf shelf;
  shelf.add("App", "1.0.0", {{"Lib", "^1.0.0"}});
  shelf.add("Lib", "1.0.0");
  shelf.add("Lib", "2.0.0");
  const auto error = error_of(shelf, {{"App", "1.0.0", "G"}, {"Lib", "2.0.0", "thinggroup/H"}});
  EXPECT_EQ(error.kind(), Kind::requirements_not_met);
  EXPECT_THAT(error.message(),
              testing::HasSubstr("App wants \"^1.0.0\", thinggroup/H wants \"2.0.0\""));
}

TEST(Resolve, RefusesTwoGroupsWithDifferentVersionsOfOneComponent) {
  Shelf shelf;
  shelf.add("App", "1.0.0");
  shelf.add("App", "2.0.0");
  EXPECT_EQ(
      error_of(shelf, {{"App", "1.0.0", "thinggroup/G"}, {"App", "2.0.0", "thinggroup/H"}}).kind(),
      Kind::requirements_not_met);
  EXPECT_EQ(
      error_of(shelf, {{"App", "1.0.0", "thinggroup/G"}, {"App", "2.0.0", "thinggroup/G"}}).kind(),
      Kind::requirements_not_met);
}

TEST(Resolve, FindsRings) {
  Shelf shelf;
  shelf.add("A", "1.0.0", {{"B", "*"}});
  shelf.add("B", "1.0.0", {{"C", "*"}});
  shelf.add("C", "1.0.0", {{"B", "*"}});
  const auto error = error_of(shelf, {{"A", "1.0.0", "G"}});
  EXPECT_EQ(error.kind(), Kind::circular);
  EXPECT_THAT(error.message(), testing::HasSubstr("B -> C -> B"));
}

TEST(Resolve, EndsWhereChoicesChaseEachOther) {
  // Lib 2 wants Other 1, Other 1 wants Lib 1, Lib 1 wants Other 2, Other 2 takes any Lib: for ever.
  Shelf shelf;
  shelf.add("A", "1.0.0", {{"Lib", "*"}});
  shelf.add("Lib", "1.0.0", {{"Other", "2.0.0"}});
  shelf.add("Lib", "2.0.0", {{"Other", "1.0.0"}});
  shelf.add("Other", "1.0.0", {{"Lib", "1.0.0"}});
  shelf.add("Other", "2.0.0", {{"Lib", "2.0.0"}});
  EXPECT_EQ(error_of(shelf, {{"A", "1.0.0", "G"}}).kind(), Kind::too_large);
}

TEST(Resolve, EndsWhereDependenciesGoOnForEver) {
  const CandidateSource endless = [](const std::string& name, const Requirements&) {
    Recipe recipe;
    recipe.component_name = name;
    recipe.component_version = Version{1, 0, 0, {}, {}};
    recipe.dependencies.push_back({name + "x", {}, "*", DependencyType::hard});
    return std::optional<Candidate>({recipe, "", ""});
  };
  EXPECT_THROW(static_cast<void>(resolve_components({{"A", "*", "G"}}, endless)), ResolutionError);
}

TEST(Resolve, RefusesAnAnswerToAnotherQuestion) {
  const CandidateSource liar = [](const std::string& name, const Requirements&) {
    Recipe recipe;
    recipe.component_name = name;
    recipe.component_version = Version{3, 0, 0, {}, {}};
    return std::optional<Candidate>({recipe, "", ""});
  };
  try {
    static_cast<void>(resolve_components({{"A", "1.0.0", "G"}}, liar));
    FAIL();
  } catch (const ResolutionError& error) {
    EXPECT_EQ(error.kind(), Kind::bad_answer);
  }
}

TEST(Resolve, NamesWhoWroteAMalformedRange) {
  Shelf shelf;
  EXPECT_THAT(error_of(shelf, {{"A", "latest", "thinggroup/G"}}).message(),
              testing::StartsWith("A: thinggroup/G: \"latest\""));
}

TEST(Resolve, AsksOnceForWhatSuitsEverybody) {
  Shelf shelf;
  shelf.add("A", "1.0.0", {{"Lib", "*"}});
  shelf.add("B", "1.0.0", {{"Lib", "^1.0.0"}});
  shelf.add("Lib", "1.0.0");
  EXPECT_EQ(resolve(shelf, {{"A", "1.0.0", "G"}, {"B", "1.0.0", "G"}}),
            "Lib 1.0.0, A 1.0.0*, B 1.0.0*");
  EXPECT_EQ(shelf.asked, 3);
}

}  // namespace
}  // namespace andon::recipe
