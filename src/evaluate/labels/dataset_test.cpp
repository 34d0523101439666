// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/dataset.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error/error.hpp"

namespace andon::evaluate {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Dataset dataset_of(const std::vector<std::string>& names) {
  Dataset dataset;
  for (std::size_t i = 0; i < names.size(); ++i) {
    dataset.categories.push_back({static_cast<std::int64_t>(10 * i), names[i]});
  }
  dataset.images.push_back({1, "a.jpg", {}, {{0, {1, 1, 2, 2}, 4, false}}});
  return dataset;
}

TEST(Labels, AreMatchedByName) {
  const std::vector<std::string> model{"dent", "dirt", "scratch"};
  EXPECT_THAT(match_labels(dataset_of({"scratch", "dent"}), model), ElementsAre(1, kNoCategory, 0));
}

TEST(Labels, OfAModelWithoutNamesAreMatchedByOrder) {
  const std::vector<std::string> model{"class 0", "class 1"};
  EXPECT_THAT(match_labels(dataset_of({"scratch", "dent"}), model), ElementsAre(0, 1));
  EXPECT_THROW(static_cast<void>(match_labels(dataset_of({"scratch"}), model)), base::Error);
}

TEST(Labels, WithObjectsThatTheModelDoesNotKnowAreRefusedWithBothLists) {
  try {
    static_cast<void>(
        match_labels(dataset_of({"scratch", "dent"}), std::vector<std::string>{"dent"}));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::invalid_argument);
    EXPECT_THAT(error.message(), AllOf(HasSubstr("does not know 'scratch' (1 labelled objects)"),
                                       HasSubstr("its classes are 'dent'")));
  }
}

TEST(Labels, OfCategoriesWithoutObjectsNeedNotBeKnown) {
  EXPECT_THAT(match_labels(dataset_of({"scratch", "dent"}), std::vector<std::string>{"scratch"}),
              ElementsAre(0));
}

TEST(ImageFiles, ThatAreMissingAreCountedAndNamed) {
  const base::TemporaryDirectory directory;
  Dataset dataset = dataset_of({"scratch"});
  dataset.images.push_back({2, "b.jpg", {}, {}});
  base::write_file_atomically(directory.path() / "b.jpg", "x");
  try {
    static_cast<void>(image_files(dataset, directory.path()));
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("1 of the 2 pictures that the labels name are not in"));
    EXPECT_THAT(error.message(), HasSubstr("'a.jpg'"));
  }
  base::write_file_atomically(directory.path() / "a.jpg", "x");
  EXPECT_EQ(image_files(dataset, directory.path()).size(), 2U);
}

}  // namespace
}  // namespace andon::evaluate
